//! The titles of several pages at once, in the order in which they come and in the order of the list.
//!
//! In asyncio: `gather` over `fetch_title(session, url)`, with `return_exceptions=True`; `as_completed` to see them come.
//!
//! `cargo run --example cookbook_scrape` prints
//!
//! ```text
//! the first to come: /quick
//! /slow: The slow page
//! /quick: Quick & short
//! /bare: it has no title
//! /gone: it answers 404
//! ```

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use async_io::Async;
use dewar::bridge::sync::Event;
use dewar::server::Server;
use dewar::{App, Error, Result, bridge};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

/// Asks for one page and returns what is between `<title>` and `</title>`.
async fn title(server: SocketAddr, path: &str) -> Result<String> {
    let mut socket = Async::<TcpStream>::connect(server).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    bridge::timeout(Duration::from_secs(10), socket.read_to_string(&mut answer)).await??;

    let status = answer.split(' ').nth(1).unwrap_or("nothing");
    if status != "200" {
        return Err(Error::msg(format!("it answers {status}")));
    }
    let title = answer.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let (title, _) = title.ok_or_else(|| Error::msg("it has no title"))?;
    Ok(title.trim().replace("&amp;", "&"))
}

fn app() -> App {
    let mut app = App::new("pages");
    // Answers when another page has been read: however slow the machine is, it is never first.
    app.get("/slow", || {
        ANOTHER_IS_READ.blocking_wait();
        "<!doctype html><html><head><title> The slow page </title></head></html>"
    });
    app.get("/quick", || "<!doctype html><title>Quick &amp; short</title><p>Some text.");
    app.get("/bare", || "<p>Some text.");
    app
}

static ANOTHER_IS_READ: Event = Event::new();

pub fn main() -> Result<()> {
    let server = Server::bind("127.0.0.1:0")?.start(Arc::new(app().into_service()?))?;
    let address = server.addr();
    bridge::run(async {
        let read = |path| async move { (path, title(address, path).await) };
        let mut coming = bridge::as_completed(["/slow", "/quick"].map(read));
        if let Some((path, _title)) = coming.next().await {
            println!("the first to come: {path}");
        }
        ANOTHER_IS_READ.set();
        drop(coming); // what has not come is given up

        // All of them, and each one's own error.
        for (path, title) in bridge::gather(["/slow", "/quick", "/bare", "/gone"].map(read)).await {
            println!("{path}: {}", title.unwrap_or_else(|error| error.to_string()));
        }
        Ok(())
    })?;
    server.shutdown(Duration::from_secs(5));
    Ok(())
}
