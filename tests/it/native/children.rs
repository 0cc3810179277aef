//! What can only be seen in a process of its own: these tests run [`child`] in one.

use std::io::{BufRead, BufReader};
use std::process::{ChildStderr, Command, Stdio};

use dewar::server::Limits;
use dewar::{Body, Response};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::*;
use crate::support::log_capture;

/// A process that does one of the tasks of [`child`].
pub(super) struct Child {
    process: std::process::Child,
    said: BufReader<ChildStderr>,
}

impl Child {
    pub(super) fn run(task: &str) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "native::children::child", "--ignored", "--nocapture"])
            .env("DEWAR_TEST_CHILD", task)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stderr.take().unwrap());
        Child { process, said }
    }

    /// The rest of the next line that starts so.
    pub(super) fn said(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the child ended without {start:?}");
            if let Some(rest) = line.strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Tells it that it may end.
    pub(super) fn finish_input(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Tells it that it may end, and waits for that.
    pub(super) fn ends(mut self) {
        self.finish_input();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
        let _ = self.process.wait();
    }
}

pub(super) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count())
}

pub(super) fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("dewar")).collect()
}

#[test]
#[ignore = "what other tests run in a process of its own"]
fn child() {
    match std::env::var("DEWAR_TEST_CHILD").as_deref() {
        Ok("few-descriptors") => {
            let log = log_capture();
            let few = Rlimit { current: Some(64), maximum: Some(64) };
            setrlimit(Resource::Nofile, few).unwrap();
            let server = serve(defaults(), move |request: Request| match request.path() {
                "/short" => Response::text(log.with("no connection can be accepted").len().to_string()),
                _ => Response::text("x").with_header("connection", "close"),
            });
            eprintln!("ready {}", server.addr());
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            assert_eq!(server.shutdown(NEVER).cut, 0);
        }
        Ok("mid-request") => {
            let limits = Limits { drain_grace: millis(20), ..defaults() };
            let server = Arc::new(serve(limits, |request: Request| match request.path() {
                "/slow" => {
                    std::thread::sleep(millis(100));
                    Response::text("slow")
                }
                "/stream" => Response::new(Body::blocks((0..5).map(|n| {
                    std::thread::sleep(millis(20));
                    n.to_string()
                }))),
                "/switch" => Response::switching_protocols("x", |mut connection| {
                    let _ = connection.read(&mut [0]);
                }),
                _ => data(&request),
            }));
            eprintln!("ready {}", server.addr());
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let report = server.shutdown(std::time::Duration::from_secs(2));
            eprintln!("cut {}", report.cut);
            // What has ended may take a moment to be gone.
            until(|| threads().is_empty());
            eprintln!("left {:?}", threads());
        }
        _ => {}
    }
}
