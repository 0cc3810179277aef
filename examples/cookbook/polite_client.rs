//! A client with manners: few connections, used again and again; a limit on each answer's time; another try when the
//! server was slow or busy.
//!
//! In asyncio: a `Semaphore`, a list of open connections, `asyncio.timeout` and a retry loop.
//!
//! `cargo run --example cookbook_polite_client` prints
//!
//! ```text
//! got 12 answers, the last one "answer 12"
//! request 4, try 1: not done within 1s
//! request 7, try 1: the server is busy
//! no more than 4 connections were needed: true
//! ```

use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use async_io::Async;
use dewar::bridge::{self, Retry, sync::Semaphore};
use dewar::{Error, Result};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt};

type Connection = BufReader<Async<TcpStream>>;

/// Like `aiohttp`'s session with a connector, in small.
struct Client {
    server: SocketAddr,
    /// A request holds a permit, so there are never more connections than permits.
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
    opened: AtomicUsize,
}

impl Client {
    async fn ask(&self, n: u32) -> Result<String> {
        let _permit = self.permits.acquire().await;
        bridge::timeout(Duration::from_secs(1), self.exchange(n)).await?
    }

    async fn exchange(&self, n: u32) -> Result<String> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                BufReader::new(Async::<TcpStream>::connect(self.server).await?)
            }
        };
        connection.get_mut().write_all(format!("{n}\n").as_bytes()).await?;
        let mut answer = String::new();
        connection.read_line(&mut answer).await?;
        // Only now: one that was given up is dropped, and its late answer goes to nobody's question.
        self.idle().push(connection);
        if answer == "busy\n" { Err(Error::msg("the server is busy")) } else { Ok(answer.trim_end().to_owned()) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn main() -> Result<()> {
    let server = start_server()?;
    let client = Client { server, permits: Semaphore::new(3), idle: Mutex::default(), opened: AtomicUsize::new(0) };
    let (tell, told) = mpsc::channel();
    let asking = bridge::fan_out(12, 1..=12, async |n| {
        let tell = tell.clone();
        let policy =
            Retry::new().first_delay(Duration::from_millis(5)).on_retry(move |attempt, error: &Error, _delay| {
                let _ = tell.send((n, attempt, error.to_string()));
            });
        bridge::retry(policy, async || client.ask(n).await).await
    });
    let answers = bridge::block_on(asking)?.into_iter().collect::<Result<Vec<_>>>()?;
    println!("got {} answers, the last one {:?}", answers.len(), answers[11]);
    let mut retries: Vec<_> = told.try_iter().collect();
    retries.sort();
    for (n, attempt, error) in retries {
        println!("request {n}, try {attempt}: {error}");
    }
    // Three, and one in the place of that which was given up.
    println!("no more than 4 connections were needed: {}", client.opened.into_inner() <= 4);
    Ok(())
}

/// A service that is silent at first when it is asked for 4, and busy at first when it is asked for 7.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let asked = Arc::new(Mutex::new(HashSet::new()));
    thread::spawn(move || {
        for socket in listener.incoming().map_while(io::Result::ok) {
            let asked = Arc::clone(&asked);
            thread::spawn(move || answer(socket, &asked));
        }
    });
    Ok(address)
}

fn answer(mut socket: TcpStream, asked: &Mutex<HashSet<String>>) -> io::Result<()> {
    for n in io::BufReader::new(socket.try_clone()?).lines() {
        let n = n?;
        let is_first = asked.lock().unwrap_or_else(PoisonError::into_inner).insert(n.clone());
        match n.as_str() {
            "4" if is_first => {}
            "7" if is_first => socket.write_all(b"busy\n")?,
            _ => writeln!(socket, "answer {n}")?,
        }
    }
    Ok(())
}
