//! Clients that need tokio, kept from request to request: reqwest's, and tokio-postgres' with a real PostgreSQL.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, OnceLock, mpsc};
use std::thread;

use dewar::bridge::{self, Backend, LoopPolicy, Scope};
use dewar::{App, Result};
use tokio_postgres::NoTls;

use crate::support;

use super::POLICIES;

/// A server that keeps its connections, and says how many it has had.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npong";
                        if (&stream).write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
});

/// The one client of the program.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

async fn ping(client: &reqwest::Client) -> Result<String, reqwest::Error> {
    client.get(format!("http://{}/", *SERVER)).send().await?.text().await
}

#[test]
fn one_reqwest_client_serves_all_threads_on_the_processs_runtime() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(bridge::block_on_with(LoopPolicy::tokio(), ping(&CLIENT)).unwrap().unwrap(), "pong");
                    let shared = bridge::with_policy(LoopPolicy::tokio(), || bridge::spawn_shared(ping(&CLIENT)));
                    assert_eq!(shared.join().unwrap().unwrap(), "pong");
                }
            });
        }
    });
}

#[test]
fn a_client_kept_across_loops_that_end_makes_its_connections_anew() {
    let client = reqwest::Client::new();
    let policy = LoopPolicy::per_request().backend(Backend::Tokio);
    for _ in 0..20 {
        // Its old connection has ended with the loop that it was made on, and the client sees that.
        assert_eq!(bridge::block_on_with(policy, ping(&client)).unwrap().unwrap(), "pong");
    }
}

#[test]
fn a_connection_of_a_loop_that_has_ended_says_so() {
    // What is not made anew, as a single connection without a pool, is of no use any more.
    let policy = LoopPolicy::per_request().backend(Backend::Tokio);
    let address = *SERVER;
    let stream = bridge::block_on_with(policy, tokio::net::TcpStream::connect(address)).unwrap().unwrap();
    let error = bridge::block_on_with(policy, stream.readable()).unwrap().unwrap_err();
    assert!(error.to_string().ends_with("context was found, but it is being shutdown."), "{error}");
    // On the process's runtime it stays.
    let stream = bridge::block_on_with(LoopPolicy::tokio(), tokio::net::TcpStream::connect(address)).unwrap().unwrap();
    bridge::block_on_with(LoopPolicy::tokio(), stream.writable()).unwrap().unwrap();
}

#[test]
fn a_client_of_a_threads_own_loop_works_on_that_thread() {
    thread::spawn(|| {
        let client = reqwest::Client::new();
        let policy = LoopPolicy::per_thread().backend(Backend::Tokio);
        for _ in 0..20 {
            assert_eq!(bridge::block_on_with(policy, ping(&client)).unwrap().unwrap(), "pong");
        }
    })
    .join()
    .unwrap();
}

#[test]
fn on_another_thread_it_waits_for_the_loop_that_has_its_connection() {
    let client = reqwest::Client::new();
    let policy = LoopPolicy::per_thread().backend(Backend::Tokio);
    assert_eq!(bridge::block_on_with(policy, ping(&client)).unwrap().unwrap(), "pong");
    let (done, ending) = mpsc::channel();
    let other = client.clone();
    let thread = thread::spawn(move || {
        let pong = bridge::block_on_with(policy, ping(&other)).unwrap();
        done.send(()).unwrap();
        pong
    });
    // The connection is this thread's: while a fragment runs here, it gets on.
    bridge::block_on_with(policy, async { bridge::unblock(move || ending.recv()).await }).unwrap().unwrap().unwrap();
    assert_eq!(thread.join().unwrap().unwrap(), "pong");
}

#[test]
fn reqwests_blocking_client_works_in_blocking_code() {
    let get = || reqwest::blocking::get(format!("http://{}/", *SERVER)).unwrap().text().unwrap();
    let mut app = App::new("dewar_it");
    app.get("/", get);
    app.get("/unblock", async move || bridge::unblock(get).await);
    let client = support::client(app);
    assert_eq!(client.get("/").text(), "pong");
    assert_eq!(client.get("/unblock").text(), "pong");
    // In a fragment too where its thread drives no runtime; else reqwest panics, which harms no loop.
    for policy in super::all_policies() {
        let fragment = || bridge::block_on_with(policy, async { get() });
        let is_driven = policy.backend == Backend::Tokio && !matches!(policy.scope, Scope::Shared { .. });
        if is_driven {
            assert!(support::panic_message(fragment).starts_with("Cannot drop a runtime"));
        } else {
            assert_eq!(fragment().unwrap(), "pong", "{policy:?}");
        }
        let task = bridge::with_policy(policy, || bridge::spawn_shared(async move { get() }));
        match task.join() {
            Ok(pong) => assert!(pong == "pong" && policy.backend == Backend::Futures, "{policy:?}"),
            Err(error) => {
                assert_eq!(policy.backend, Backend::Tokio, "{error}");
                assert!(error.to_string().contains("panicked: Cannot drop a runtime"), "{error}");
            }
        }
    }
}

/// A PostgreSQL of this test's own, on a socket in a folder.
struct Postgres(support::Folder);

/// As somebody who is allowed to run a server.
fn unprivileged(command: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut as_nobody = Command::new("runuser");
        as_nobody.args(["-u", "nobody", "--", command]);
        as_nobody
    } else {
        Command::new(command)
    }
}

impl Postgres {
    /// `None`, and said so, where there is none.
    fn start() -> Option<Postgres> {
        let is_there = |command| Command::new(command).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !["initdb", "pg_ctl"].into_iter().all(is_there) {
            eprintln!("skipped: there is no PostgreSQL here (initdb, pg_ctl)");
            return None;
        }
        let folder = support::Folder::new("postgres");
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown").arg("nobody").arg(&folder.0));
        }
        let data = folder.0.join("data");
        run(unprivileged("initdb").args(["-A", "trust", "-U", "dewar", "--no-sync", "-D"]).arg(&data));
        let options = format!("-c listen_addresses= -c fsync=off -k {}", folder.0.display());
        let log = folder.0.join("log");
        let mut start = unprivileged("pg_ctl");
        run(start.args(["-w", "-o", &options, "-l"]).arg(log).arg("-D").arg(&data).arg("start"));
        Some(Postgres(folder))
    }

    fn config(&self) -> String {
        format!("host={} user=dewar dbname=postgres", self.0.0.display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data: &Path = &self.0.0.join("data");
        run(unprivileged("pg_ctl").args(["-m", "immediate", "-D"]).arg(data).arg("stop"));
    }
}

fn run(command: &mut Command) {
    // Not its output: a server that stays would keep the pipe open.
    let status = command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

async fn connect(config: &str, is_ours: bool) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(config, NoTls).await.unwrap();
    let connection = async move { connection.await.unwrap() };
    if is_ours {
        bridge::spawn_shared(connection).detach();
    } else {
        drop(tokio::spawn(connection));
    }
    client
}

async fn double(client: &tokio_postgres::Client, n: i32) -> String {
    let row = client.query_one("select $1::int * 2", &[&n]).await.unwrap();
    row.get::<_, i32>(0).to_string()
}

#[test]
fn postgres_is_asked_in_handlers_over_connections_that_stay() {
    let Some(postgres) = Postgres::start() else { return };
    let config = postgres.config();
    for is_ours in [true, false] {
        // One connection for all requests, made by the first; and one for each request.
        let kept = Arc::new(OnceLock::new());
        let mut app = App::new("dewar_it");
        app.loop_policy(LoopPolicy::tokio());
        let (pool, to) = (Arc::clone(&kept), config.clone());
        app.get("/kept/<int:n>", move |n: i32| {
            let client = pool.get_or_init(|| bridge::block_on(connect(&to, is_ours)).unwrap());
            bridge::block_on(double(client, n))
        })
        .endpoint("kept");
        let to = config.clone();
        app.get("/own/<int:n>", async move |n: i32| {
            let client = connect(&to, is_ours).await;
            double(&client, n).await
        })
        .endpoint("own");
        let pool = kept;
        app.get("/async/<int:n>", async move |n: i32| double(pool.get().unwrap(), n).await).endpoint("async");
        let client = support::client(app);
        thread::scope(|scope| {
            for i in 0..4 {
                let client = &*client;
                scope.spawn(move || {
                    for n in i * 10..i * 10 + 5 {
                        for kind in ["kept", "own", "async"] {
                            assert_eq!(client.get(&format!("/{kind}/{n}")).text(), (n * 2).to_string());
                        }
                    }
                });
            }
        });
        // The tasks that have the connections end with their clients.
    }
    for policy in POLICIES.map(|policy| policy.backend(Backend::Tokio)) {
        let doubled = bridge::block_on_with(policy, async { double(&connect(&config, false).await, 21).await });
        assert_eq!(doubled.unwrap(), "42", "{policy:?}");
    }
}
