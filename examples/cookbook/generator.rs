//! An async generator: pages of a slow source, one at a time, and only as many as somebody asks for.
//!
//! In asyncio: `async def` with `yield`, `async for`, and `aclosing` for a loop that is left early.
//!
//! `cargo run --example cookbook_generator` prints
//!
//! ```text
//! page 1 is loaded
//! - 1 apple
//! - 2 pears
//! page 2 is loaded
//! - 3 plums
//! the source is closed
//! pages as lengths: [2, 2, 1]
//! from blocking code: 5 lines
//! ```

use std::pin::pin;

use dewar::{Result, bridge};
use futures_lite::{Stream, StreamExt};

const LINES: [&str; 5] = ["1 apple", "2 pears", "3 plums", "4 figs", "5 dates"];

/// Says when it goes: what is after the last `yield` in Python's `try … finally`.
struct Source;

impl Drop for Source {
    fn drop(&mut self) {
        println!("the source is closed");
    }
}

/// The generator. It borrows the lines, and runs only while somebody waits for an item.
fn pages<'a>(lines: &'a [&'a str]) -> impl Stream<Item = &'a [&'a str]> {
    bridge::stream(async move |yielder| {
        for page in lines.chunks(2) {
            bridge::yield_now().await; // loads it
            yielder.send(page).await;
        }
    })
}

fn lines() -> impl Stream<Item = &'static str> {
    bridge::stream(async |yielder| {
        let _source = Source;
        let mut pages = pin!(pages(&LINES).enumerate());
        while let Some((number, page)) = pages.next().await {
            println!("page {} is loaded", number + 1);
            for line in page {
                yielder.send(*line).await;
            }
        }
    })
}

pub fn main() -> Result<()> {
    bridge::run(async {
        let mut lines = pin!(lines());
        while let Some(line) = lines.next().await {
            println!("- {line}");
            if line.contains("plums") {
                break; // the rest is never loaded, and leaving drops the generator
            }
        }
        Ok(())
    })?;

    let lengths: Vec<_> = bridge::block_on(pages(&LINES).map(<[_]>::len).collect())?;
    println!("pages as lengths: {lengths:?}");
    let count: usize = bridge::block_on_iter(pages(&LINES)).map(<[_]>::len).sum();
    println!("from blocking code: {count} lines");
    Ok(())
}
