//! Async where it is needed: an async handler, and a blocking one that runs an async fragment over the bridge.
//!
//! `cargo run --example async_views`, then open <http://127.0.0.1:5000/together>

use std::time::{Duration, Instant};

use dewar::{App, Result, bridge};

/// Stands for a call of some async crate.
async fn price(symbol: &'static str) -> Result<(&'static str, u64)> {
    bridge::sleep(Duration::from_millis(100)).await;
    Ok((symbol, symbol.len() as u64 * 100))
}

const SYMBOLS: [&str; 5] = ["A", "BB", "CCC", "DDDD", "EEEEE"];

/// An async handler: the bridge runs it on the worker's own thread.
async fn one() -> Result<String> {
    let (symbol, price) = price("BB").await?;
    Ok(format!("{symbol}: {price}"))
}

/// A blocking handler, which asks for five prices at once and waits for all of them.
fn together() -> Result<String> {
    let start = Instant::now();
    let prices = bridge::run(bridge::try_gather(SYMBOLS.into_iter().map(price)))?;
    let total: u64 = prices.iter().map(|(_, price)| price).sum();
    Ok(format!("{total} in {} ms", start.elapsed().as_millis()))
}

/// The same with a bound on the whole.
fn in_time() -> Result<String> {
    match bridge::block_on(bridge::timeout(Duration::from_millis(20), price("A")))? {
        Ok(price) => Ok(format!("{}", price?.1)),
        Err(_) => Ok("too slow".into()),
    }
}

pub fn app() -> App {
    let mut app = App::new("async_views");
    app.get("/", || "<a href=/one>one</a> <a href=/together>together</a> <a href=/in_time>in time</a>");
    app.get("/one", one);
    app.get("/together", together);
    app.get("/in_time", in_time);
    app
}

fn main() -> Result<()> {
    app().run()
}
