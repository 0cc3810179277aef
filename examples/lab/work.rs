//! What a fragment does: nothing, wait for a timer, or fetch from a slow service. Each is there twice, as a future and
//! as blocking code.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use async_io::Async;
use dewar::bridge;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::endpoint::{ANSWER, ASK};

/// How many fetches there are in a fragment that fetches.
pub(crate) const FETCHES: usize = 10;
const PATIENCE: Duration = Duration::from_secs(5);

/// What a fragment does. Small and `Copy`: handing it to a loop is to cost nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    /// It is ready at once. What is left is what the loop costs.
    Ready,
    /// It waits on a timer.
    Sleep(Duration),
    /// [`FETCHES`] slow answers from this address, all asked for at once.
    Fetch(SocketAddr),
    /// The same, one after the other.
    FetchInTurn(SocketAddr),
}

impl Work {
    pub(crate) fn name(self) -> String {
        match self {
            Work::Ready => "ready".to_owned(),
            Work::Sleep(time) => format!("sleep{}", time.as_millis()),
            Work::Fetch(_) => "fetch".to_owned(),
            Work::FetchInTurn(_) => "fetch-in-turn".to_owned(),
        }
    }

    /// How much of a run's time it is to have, beside others.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Work::Ready | Work::Sleep(_) => 1,
            Work::Fetch(_) => 2,
            // Ten times as long as one; but each thread runs two, even if the time is up.
            Work::FetchInTurn(_) => 6,
        }
    }

    /// The future.
    pub(crate) async fn fragment(self) -> io::Result<()> {
        match self {
            Work::Ready => Ok(()),
            Work::Sleep(time) => {
                bridge::sleep(time).await;
                Ok(())
            }
            // Boxed: fragments that do not fetch are not to carry the room for it.
            Work::Fetch(from) => {
                let all = (0..FETCHES).map(|_| fetch(from));
                Box::pin(bridge::try_gather(all)).await.map(|_| ())
            }
            Work::FetchInTurn(from) => {
                for _ in 0..FETCHES {
                    Box::pin(fetch(from)).await?;
                }
                Ok(())
            }
        }
    }

    /// The same without a loop.
    pub(crate) fn block(self) -> io::Result<()> {
        match self {
            Work::Ready => {
                black_box(());
                Ok(())
            }
            Work::Sleep(time) => {
                thread::sleep(time);
                Ok(())
            }
            Work::Fetch(from) => thread::scope(|scope| {
                let start = |_| thread::Builder::new().spawn_scoped(scope, move || fetch_blocking(from));
                let running: Vec<_> = (0..FETCHES).map(start).collect::<io::Result<_>>()?;
                let mut joined = running.into_iter().map(|thread| thread.join());
                joined.try_for_each(|result| result.unwrap_or_else(|_| Err(io::Error::other("a fetch panicked"))))
            }),
            Work::FetchInTurn(from) => (0..FETCHES).try_for_each(|_| fetch_blocking(from)),
        }
    }
}

async fn fetch(from: SocketAddr) -> io::Result<()> {
    let exchange = async {
        let mut socket = Async::<TcpStream>::connect(from).await?;
        socket.write_all(ASK).await?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await?;
        check(&answer)
    };
    bridge::timeout(PATIENCE, exchange).await.unwrap_or_else(|late| Err(io::Error::other(late)))
}

fn fetch_blocking(from: SocketAddr) -> io::Result<()> {
    let mut socket = TcpStream::connect_timeout(&from, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(ASK)?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    check(&answer)
}

fn check(answer: &[u8]) -> io::Result<()> {
    match answer == ANSWER {
        true => Ok(()),
        false => {
            let answer = String::from_utf8_lossy(answer);
            Err(io::Error::other(format!("the slow endpoint gave another answer: {answer:?}")))
        }
    }
}
