//! A TCP server on async sockets, and its clients, on one thread: a task for each connection.
//!
//! In asyncio: `asyncio.start_server(handle, …)` and `asyncio.open_connection`.
//!
//! `cargo run --example cookbook_echo_server` prints
//!
//! ```text
//! ada hears ["hello from ada", "bye"]
//! bob hears ["hello from bob", "bye"]
//! cyd hears ["hello from cyd", "bye"]
//! connections served: 3
//! the server is cancelled: true
//! ```

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use async_io::Async;
use dewar::bridge::sync::Queue;
use dewar::{Result, bridge};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt};

/// Accepts for ever. A connection's task may go on when this one is cancelled; all end with the fragment.
async fn serve(listener: Async<TcpListener>, served: Queue<io::Result<()>>) -> io::Result<()> {
    loop {
        let (socket, _peer) = listener.accept().await?;
        let served = served.clone();
        bridge::spawn(async move { served.put(echo(socket).await).await }).detach();
    }
}

/// Line by line, until the client closes its side.
async fn echo(socket: Async<TcpStream>) -> io::Result<()> {
    let mut lines = BufReader::new(&socket).lines();
    while let Some(line) = lines.next().await {
        (&socket).write_all(format!("{}\n", line?).as_bytes()).await?;
    }
    Ok(())
}

async fn talk(server: SocketAddr, name: &str) -> io::Result<String> {
    let socket = Async::<TcpStream>::connect(server).await?;
    let mut answers = BufReader::new(&socket).lines();
    let mut heard = Vec::new();
    for line in [format!("hello from {name}"), "bye".into()] {
        (&socket).write_all(format!("{line}\n").as_bytes()).await?;
        heard.extend(answers.next().await.transpose()?);
    }
    Ok(format!("{name} hears {heard:?}"))
}

pub fn main() -> Result<()> {
    bridge::run(async {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
        let address = listener.get_ref().local_addr()?;
        let served = Queue::unbounded();
        let server = bridge::spawn_named("server", serve(listener, served.clone()));

        for line in bridge::try_gather(["ada", "bob", "cyd"].map(|name| talk(address, name))).await? {
            println!("{line}");
        }
        for _ in 0..3 {
            served.get().await??; // the server's side has seen that the client has gone
        }
        println!("connections served: 3");
        server.cancel();
        println!("the server is cancelled: {}", server.await.is_err_and(|error| error.is_cancelled()));
        Ok(())
    })
}
