//! Ten slow fetches: one after the other as blocking code does them, then all at once over the bridge.
//!
//! The client is a few lines over a socket, once from the standard library and once from async-io. In an app it would
//! be `ureq` or `reqwest`; what is around it would look the same.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use async_io::Async;
use dewar::{Blueprint, Error, IntoResponse, Response, Result, bridge, context, render, request};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

const FETCHES: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn blueprint() -> Blueprint {
    let mut fetches = Blueprint::new("fetches");
    fetches.get("/fetches", show);
    fetches.post("/fetches", run);
    fetches.get("/slow/<int:n>", slow);
    fetches
}

/// What is fetched: it does nothing for a while, as a service that is far away.
fn slow(n: u64) -> String {
    thread::sleep(Duration::from_millis(200));
    format!("slow answer {n}\n")
}

fn show() -> Result<String> {
    render("fetches.html", context! { fetches => FETCHES })
}

fn run() -> Result<Response> {
    match both() {
        Ok((one_by_one, bridged)) => {
            let [one_by_one, bridged] = [one_by_one, bridged].map(|time| time.as_secs_f64());
            render("fetches.html", context! { fetches => FETCHES, one_by_one, bridged })?.into_response()
        }
        Err(error) => {
            let problem = error.to_string();
            (render("fetches.html", context! { fetches => FETCHES, problem })?, 503).into_response()
        }
    }
}

fn both() -> Result<(Duration, Duration)> {
    let address = own_address(request().host())?;
    let start = Instant::now();
    one_by_one(address)?;
    let middle = Instant::now();
    bridged(address)?;
    Ok((middle - start, middle.elapsed()))
}

fn one_by_one(address: SocketAddr) -> Result<Vec<String>> {
    (1..=FETCHES).map(|n| fetch(address, n)).collect()
}

fn bridged(address: SocketAddr) -> Result<Vec<String>> {
    bridge::run(bridge::try_gather((1..=FETCHES).map(|n| fetch_async(address, n))))
}

fn fetch(address: SocketAddr, n: u64) -> Result<String> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(get(address, n).as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    })?;
    body(&answer)
}

async fn fetch_async(address: SocketAddr, n: u64) -> Result<String> {
    let exchange = async {
        let mut socket = Async::<TcpStream>::connect(address).await?;
        socket.write_all(get(address, n).as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        body(&answer)
    };
    bridge::timeout(PATIENCE, exchange).await?
}

fn get(address: SocketAddr, n: u64) -> String {
    format!("GET /slow/{n} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
}

fn body(answer: &str) -> Result<String> {
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(Error::msg(format!("not the answer that was expected: {answer:?}"))),
    }
}

/// Where the browser reached this server; the first of its addresses that answers, since `localhost` has two.
fn own_address(host: &str) -> Result<SocketAddr> {
    let addresses: Vec<_> = match host.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(_) => (host, 80).to_socket_addrs()?.collect(),
    };
    // A client can write any host into its request. Only an address of this machine can be bound.
    let own = |address: &SocketAddr| TcpListener::bind((address.ip(), 0)).is_ok();
    let answers = |address: &SocketAddr| TcpStream::connect_timeout(address, Duration::from_secs(1)).is_ok();
    let address = addresses.into_iter().find(|address| own(address) && answers(address));
    address.ok_or_else(|| Error::msg(format!("no server of this machine answers at {host:?}")))
}
