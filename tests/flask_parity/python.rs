//! The Python side: an interpreter that has Flask, and the process that serves the topics with it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::wire;

/// Names an interpreter that has what is in `requirements.txt`, in place of the suite's own environment.
const INTERPRETER: &str = "DEWAR_FLASK_PYTHON";

/// An interpreter with the packages of `requirements.txt`: the environment's, or one of a virtual environment that is made
/// in `target` the first time.
///
/// # Errors
/// Why there is none. The suite is then skipped.
pub(crate) fn interpreter(folder: &Path) -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(INTERPRETER) {
        return Ok(named.into());
    }
    // target/tmp is cargo's for the tests; beside it the environment outlives `cargo clean -p`.
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../flask_parity");
    let (venv, stamp) = (place.join("venv"), place.join("installed.txt"));
    let python = if cfg!(windows) { venv.join("Scripts/python.exe") } else { venv.join("bin/python") };
    let wanted = std::fs::read_to_string(folder.join("requirements.txt")).map_err(|error| error.to_string())?;
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("flask_parity: making {} (once)", venv.display());
    std::fs::create_dir_all(&place).map_err(|error| error.to_string())?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(pip).arg(folder.join("requirements.txt")))?;
    std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed: {}", said.trim().lines().last().unwrap_or("it said nothing")))
}

/// The process that serves the Flask side. It ends with this.
pub(crate) struct Flask {
    process: Child,
    ports: HashMap<String, u16>,
    pub(crate) judge: Judge,
    /// Of the packages that matter, for the report.
    pub(crate) versions: String,
}

#[derive(serde::Deserialize)]
struct Ready {
    topics: HashMap<String, u16>,
    judge: u16,
    versions: HashMap<String, String>,
}

impl Flask {
    /// Starts the topics' servers.
    ///
    /// # Errors
    /// When the process does not come up; the log's place is in the message.
    pub(crate) fn start(python: &Path, folder: &Path, topics: &[&str]) -> Result<Flask, String> {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flask_parity.log");
        let errors = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(python);
        command.arg("-B").arg(folder.join("serve.py")).args(topics);
        // A setting of the one who runs the tests must not change what Flask does.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLASK_")) {
            command.env_remove(name);
        }
        command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = command.spawn().map_err(|error| format!("{}: {error}", python.display()))?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let Ok(ready) = serde_json::from_str::<Ready>(&line) else {
            let _ = process.kill();
            let _ = process.wait();
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(6).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            return Err(format!("serve.py did not start; {} ends with:\n{}", log.display(), last.join("\n")));
        };
        let mut versions: Vec<String> = ready.versions.iter().map(|(name, v)| format!("{name} {v}")).collect();
        versions.sort();
        let judge = Judge { port: ready.judge };
        Ok(Flask { process, ports: ready.topics, judge, versions: versions.join(", ") })
    }

    /// Where a topic is served.
    pub(crate) fn port(&self, topic: &str) -> u16 {
        self.ports[topic]
    }
}

impl Drop for Flask {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads session cookies with Flask's own code.
pub(crate) struct Judge {
    port: u16,
}

impl Judge {
    /// What a session cookie holds, as JSON; `None` when Flask would not take it.
    pub(crate) fn read(&self, topic: &str, cookie: &str) -> Option<String> {
        if cookie.matches('.').count() < 2 {
            return None;
        }
        let request = format!(
            "POST /{topic} HTTP/1.1\r\nHost: judge\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{cookie}",
            cookie.len()
        );
        let answer = wire::exchange(self.port, request.as_bytes(), false).ok()?;
        (answer.status == 200).then(|| String::from_utf8_lossy(&answer.body).into_owned())
    }
}
