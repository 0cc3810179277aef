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

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use async_io::Async;
use dewar::{Result, bridge};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt};

/// Accepts for ever. A connection's task may go on when this one is cancelled; all end with the fragment.
async fn serve(listener: Async<TcpListener>, served: Rc<Cell<u32>>) -> io::Result<()> {
    loop {
        let (socket, _peer) = listener.accept().await?;
        let served = Rc::clone(&served);
        bridge::spawn(async move {
            let result = echo(socket).await;
            served.set(served.get() + 1);
            result
        })
        .detach();
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
        let served = Rc::new(Cell::new(0));
        let server = bridge::spawn_named("server", serve(listener, Rc::clone(&served)));

        for line in bridge::try_gather(["ada", "bob", "cyd"].map(|name| talk(address, name))).await? {
            println!("{line}");
        }
        while served.get() < 3 {
            bridge::yield_now().await; // the server has yet to see that the clients have gone
        }
        println!("connections served: {}", served.get());
        server.cancel();
        println!("the server is cancelled: {}", server.await.is_err_and(|error| error.is_cancelled()));
        Ok(())
    })
}
