//! The server that Dewar's speed is measured with: the routes of every framework's benchmark, each as a user would
//! write it.
//!
//! `cargo run --release --example bench -- --port 8080`
//!
//! `BENCH_DB` names an SQLite file with a table `world` (id, randomnumber, name) of 10,000 rows; without it one is made.

use std::cell::{Cell, OnceCell};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use dewar::{App, Body, IntoResponse, Json, Response, Result, RunOptions, abort, bridge};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

#[derive(Serialize)]
struct Message {
    message: &'static str,
}

#[derive(Serialize)]
struct World {
    id: i64,
    randomnumber: i64,
    name: String,
}

const ROWS: i64 = 10_000;

fn index() -> &'static str {
    "dewar"
}

fn plaintext() -> Response {
    Response::text("Hello, World!")
}

fn json() -> Json<Message> {
    Json(Message { message: "Hello, World!" })
}

fn hello(name: String) -> Response {
    Response::text(format!("Hello, {name}!"))
}

fn sleep10() -> Response {
    thread::sleep(Duration::from_millis(10));
    Response::text("ok")
}

fn sleep(ms: u64) -> Result<Response> {
    if ms > 10_000 {
        abort!(400, "at most 10,000 ms");
    }
    thread::sleep(Duration::from_millis(ms));
    Ok(Response::text("ok"))
}

async fn async10() -> Response {
    bridge::sleep(Duration::from_millis(10)).await;
    Response::text("ok")
}

fn echo(body: bytes::Bytes) -> Response {
    Response::text(body)
}

fn bytes(n: u64) -> impl IntoResponse {
    Response::typed("application/octet-stream", Body::sized_reader(std::io::repeat(b'x').take(n), n))
}

fn panic() -> Response {
    panic!("asked to")
}

/// One connection per worker thread: reading needs no more, and none waits for another.
fn db() -> Result<Json<World>> {
    thread_local!(static DB: OnceCell<Connection> = const { OnceCell::new() });
    DB.with(|cell| {
        let db = match cell.get() {
            Some(db) => db,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let db = Connection::open_with_flags(db_path(), flags)?;
                cell.get_or_init(|| db)
            }
        };
        let mut query = db.prepare_cached("SELECT id, randomnumber, name FROM world WHERE id = ?1")?;
        Ok(Json(query.query_row([random_id()], |row| {
            Ok(World { id: row.get(0)?, randomnumber: row.get(1)?, name: row.get(2)? })
        })?))
    })
}

/// A xorshift of each thread's own, seeded by where it lies.
fn random_id() -> i64 {
    thread_local!(static SEED: Cell<u64> = const { Cell::new(0) });
    SEED.with(|seed| {
        let mut x = if seed.get() == 0 { std::ptr::from_ref(seed).addr() as u64 | 1 } else { seed.get() };
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        seed.set(x);
        (x % ROWS as u64) as i64 + 1
    })
}

fn db_path() -> PathBuf {
    match std::env::var_os("BENCH_DB") {
        Some(path) => path.into(),
        None => std::env::temp_dir().join("dewar-bench.sqlite"),
    }
}

fn make_db(path: &Path) -> Result<()> {
    let mut db = Connection::open(path)?;
    let rows = db.query_row("SELECT count(*) FROM world", [], |row| row.get::<_, i64>(0));
    if rows == Ok(ROWS) {
        return Ok(());
    }
    let work = db.transaction()?;
    work.execute_batch(
        "DROP TABLE IF EXISTS world;
         CREATE TABLE world (id INTEGER PRIMARY KEY, randomnumber INTEGER NOT NULL, name TEXT NOT NULL)",
    )?;
    for id in 1..=ROWS {
        let name = format!("name of row {id}");
        work.execute("INSERT INTO world VALUES (?1, ?2, ?3)", (id, random_id(), name))?;
    }
    work.commit()?;
    Ok(())
}

/// The app, apart from `main` so that a test can drive it.
pub fn app() -> Result<App> {
    if std::env::var_os("BENCH_DB").is_none() {
        make_db(&db_path())?;
    }
    let mut app = App::new("bench");
    app.get("/", index);
    app.get("/plaintext", plaintext);
    app.get("/json", json);
    app.get("/hello/<name>", hello);
    app.get("/sleep10", sleep10);
    app.get("/sleep/<int:ms>", sleep);
    app.get("/async10", async10);
    app.post("/echo", echo);
    app.get("/bytes/<int:n>", bytes);
    app.get("/db", db);
    app.get("/panic", panic);
    Ok(app)
}

fn main() -> Result<()> {
    let mut options = RunOptions::from_env_and_args()?;
    if !cfg!(debug_assertions) {
        options.log = log::LevelFilter::Off;
    }
    app()?.run_with(options)
}
