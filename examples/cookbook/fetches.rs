//! Ten slow fetches: one after the other, then all at once.
//!
//! In asyncio: a loop of `await session.get(url)` against one `asyncio.gather(*fetches)`.
//!
//! `cargo run --example cookbook_fetches` prints
//!
//! ```text
//! one after the other: 10 answers, from "slow answer 1" to "slow answer 10"
//! all at once: 10 answers, from "slow answer 1" to "slow answer 10"
//! all at once was faster: true
//! ```

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_io::Async;
use dewar::server::Server;
use dewar::{App, Error, Result, bridge};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

const FETCHES: u64 = 10;

/// A few lines over an async socket; an app would use an HTTP client.
async fn fetch(server: SocketAddr, n: u64) -> Result<String> {
    let mut socket = Async::<TcpStream>::connect(server).await?;
    let request = format!("GET /slow/{n} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    let (_head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| Error::msg("the answer has no body"))?;
    Ok(body.to_owned())
}

async fn one_by_one(server: SocketAddr) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    for n in 1..=FETCHES {
        answers.push(fetch(server, n).await?);
    }
    Ok(answers)
}

/// The first error ends all of them, as in `gather`.
async fn all_at_once(server: SocketAddr) -> Result<Vec<String>> {
    bridge::try_gather((1..=FETCHES).map(|n| fetch(server, n))).await
}

pub fn main() -> Result<()> {
    // The slow service: this same program, on a free port.
    let mut app = App::new("slow");
    app.get("/slow/<int:n>", |n: u64| {
        thread::sleep(Duration::from_millis(60));
        format!("slow answer {n}")
    });
    let server = Server::bind("127.0.0.1:0")?.start(Arc::new(app.into_service()?))?;

    let start = Instant::now();
    report("one after the other", &bridge::run(one_by_one(server.addr()))?);
    let middle = Instant::now();
    report("all at once", &bridge::run(all_at_once(server.addr()))?);
    println!("all at once was faster: {}", middle.elapsed() < middle - start);

    server.shutdown(Duration::from_secs(5));
    Ok(())
}

fn report(how: &str, answers: &[String]) {
    let (first, last) = (answers.first().map_or("", |a| a), answers.last().map_or("", |a| a));
    println!("{how}: {} answers, from {first:?} to {last:?}", answers.len());
}
