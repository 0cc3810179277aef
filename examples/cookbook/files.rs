//! Many files, some at a time: each is read on a thread that may block, and the loop stays free.
//!
//! In asyncio: `asyncio.to_thread(path.read_text)` behind a `Semaphore`, or `aiofiles`, which does the same.
//!
//! `cargo run --example cookbook_files` prints
//!
//! ```text
//! wrote 20 files
//! read 20 files: 210 lines, 4 at a time at most: true
//! could not read 1 file: not found
//! left behind: nothing
//! ```

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use dewar::{Result, bridge};

/// How many closures run at this moment, and how many did at most.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// A closure of `unblock` runs on another thread: it owns what it uses.
async fn count_lines(path: PathBuf) -> Result<usize> {
    let text = bridge::unblock(move || {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let text = fs::read_to_string(path);
        NOW.fetch_sub(1, Ordering::SeqCst);
        text
    });
    Ok(text.await??.lines().count())
}

async fn batch(folder: PathBuf) -> Result<()> {
    let paths: Vec<_> = (1..=20).map(|n| folder.join(format!("{n}.txt"))).collect();
    bridge::try_fan_out(4, paths.iter().cloned().zip(1..), async |(path, lines)| {
        bridge::unblock(move || fs::write(path, "a line\n".repeat(lines))).await.map_err(io::Error::other)?
    })
    .await?;
    println!("wrote {} files", paths.len());

    // Stops at the first error.
    let counts = bridge::try_fan_out(4, paths.iter().cloned(), count_lines).await?;
    let most = MOST.load(Ordering::SeqCst);
    let lines: usize = counts.iter().sum();
    println!("read {} files: {lines} lines, 4 at a time at most: {}", counts.len(), most <= 4);

    // Keeps what could be read.
    let two = [folder.join("1.txt"), folder.join("missing.txt")];
    let results = bridge::fan_out(4, two, count_lines).await;
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        let is_missing = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        println!("could not read 1 file: {}", if is_missing { "not found" } else { "?" });
    }
    Ok(())
}

pub fn main() -> Result<()> {
    let folder = env::temp_dir().join(format!("dewar-cookbook-files-{}", process::id()));
    fs::create_dir(&folder)?;
    let result = bridge::run(batch(folder.clone()));
    fs::remove_dir_all(&folder)?;
    println!("left behind: {}", if folder.exists() { "the folder" } else { "nothing" });
    result
}
