//! An endpoint with a cache in front of a slow source: many ask at once, and the source is asked once.
//!
//! In asyncio: a dictionary of futures, or `lru_cache` around `run_until_complete`; in Flask, Flask-Caching.
//!
//! `cargo run --example cookbook_cache` prints
//!
//! ```text
//! 8 clients at once got "value of a"; the source was asked 1 time(s)
//! again: 200 value of a; asked 1
//! another key: 200 value of b; asked 2
//! not to be had: 404; asked 3
//! not to be had, again: 404; asked 4
//! forgotten: 204; then: 200 value of a; asked 5
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, Memo};
use dewar::{App, OrAbort, Result, State};

struct Store {
    cache: Memo<String, String>,
    asked: AtomicU32,
}

/// The slow source.
async fn look_up(store: &Store, key: &str) -> Result<String> {
    store.asked.fetch_add(1, Ordering::Relaxed);
    bridge::sleep(Duration::from_millis(20)).await;
    (key != "missing").then(|| format!("value of {key}")).or_404()
}

/// Errors are not kept: each caller has its own.
async fn show(store: State<Store>, key: String) -> Result<String> {
    store.cache.get_or_try_run(key.clone(), async || look_up(&store, &key).await).await
}

fn forget(store: State<Store>, key: String) -> (&'static str, u16) {
    store.cache.invalidate(&key);
    ("", 204)
}

fn asked(store: State<Store>) -> String {
    store.asked.load(Ordering::Relaxed).to_string()
}

fn app() -> App {
    let mut app = App::new("cache");
    let cache = Memo::new().ttl(Duration::from_secs(60)).capacity(100);
    app.state(Store { cache, asked: AtomicU32::new(0) });
    app.get("/keys/<key>", show);
    app.delete("/keys/<key>", forget);
    app.get("/asked", asked);
    app
}

pub fn main() -> Result<()> {
    let client = app().test_client();
    let get = |path: &str| {
        let response = client.get(path);
        if response.status() == 200 { format!("200 {}", response.text()) } else { response.status().to_string() }
    };
    let asked = || client.get("/asked").text();

    let texts: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| client.get("/keys/a").text())).collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]));
    println!("8 clients at once got {:?}; the source was asked {} time(s)", texts[0], asked());
    println!("again: {}; asked {}", get("/keys/a"), asked());
    println!("another key: {}; asked {}", get("/keys/b"), asked());
    println!("not to be had: {}; asked {}", get("/keys/missing"), asked());
    println!("not to be had, again: {}; asked {}", get("/keys/missing"), asked());
    println!("forgotten: {}; then: {}; asked {}", client.delete("/keys/a").status(), get("/keys/a"), asked());
    Ok(())
}
