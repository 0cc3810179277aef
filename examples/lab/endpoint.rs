//! The slow service that fragments fetch from: a port of this machine that answers after a while.
//!
//! It has two threads and no loop, so that it costs little and the same whoever asks. All wait equally long, so who
//! came first is answered first: a queue will do for timers.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::process;

/// How long it takes to answer.
pub(crate) const DELAY: Duration = Duration::from_millis(10);

pub(crate) const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: slow.test\r\nConnection: close\r\n\r\n";
pub(crate) const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nslow\n";

/// Where it listens. Started by the first call, it stays until the process ends.
pub(crate) fn address() -> io::Result<SocketAddr> {
    static STARTED: Mutex<Option<SocketAddr>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if started.is_none() {
        *started = Some(start()?);
    }
    started.ok_or_else(|| io::Error::other("the slow endpoint is not there"))
}

fn start() -> io::Result<SocketAddr> {
    process::raise_descriptors();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // Hundreds connect in the same moment. Who finds the queue full tries again after a second.
    #[cfg(unix)]
    rustix::net::listen(&listener, 4096)?;
    let address = listener.local_addr()?;
    let (arrived, waiting) = mpsc::channel();
    let answer = move || waiting.into_iter().for_each(|(socket, due)| answer(socket, due));
    thread::Builder::new().name("lab-answers".into()).spawn(answer)?;
    let accept = move || {
        for socket in listener.incoming() {
            match socket {
                // The other thread does not end before this one.
                Ok(socket) => drop(arrived.send((socket, Instant::now() + DELAY))),
                // Out of descriptors: those that are answered give theirs back.
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
    };
    thread::Builder::new().name("lab-accepts".into()).spawn(accept)?;
    Ok(address)
}

fn answer(mut socket: TcpStream, due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
    // The request came long ago. It must be read: what is closed with something unread is reset, and the answer lost.
    let mut request = [0; ASK.len()];
    let patient = socket.set_read_timeout(Some(Duration::from_secs(1)));
    // A client that went away meanwhile is none of the others' concern.
    let _ = patient.and_then(|()| socket.read_exact(&mut request)).and_then(|()| socket.write_all(ANSWER));
}
