//! Flask's own figures beside ours: `flask_baseline.py`, where Python and Flask are at hand.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use dewar::{Error, Result};

use super::measure::Event;
use super::plan::Plan;
use super::work::Work;

const SCRIPT: &str = include_str!("flask_baseline.py");
/// How many kinds the script has, to tell how much of it is over.
const KINDS: usize = 4;

/// Measures the same in Python, within about `time`. That Flask is not at hand is a note, and no error.
///
/// # Errors
/// A thread or a pipe that cannot be had.
pub(crate) fn run(plan: &Plan, time: Duration, stop: &AtomicBool, tell: &mut dyn FnMut(Event)) -> Result<()> {
    // A virtual environment's, for example.
    let python = std::env::var("LAB_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut script = match Script::start(&python, plan, time) {
        Ok(script) => script,
        Err(error) => {
            tell(Event::Note(format!("Flask is not at hand: {python} could not be started ({error}).")));
            return Ok(());
        }
    };
    let (Some(stdin), Some(stdout), Some(mut stderr)) =
        (script.0.stdin.take(), script.0.stdout.take(), script.0.stderr.take())
    else {
        return Err(Error::msg("the script has no pipes"));
    };
    hand_over(stdin)?;

    let (read, lines) = mpsc::channel();
    let read_on = move || BufReader::new(stdout).lines().map_while(io::Result::ok).all(|line| read.send(line).is_ok());
    thread::Builder::new().name("lab-flask".into()).spawn(read_on)?;

    let cells = plan.works.len() * plan.concurrency.len() * KINDS;
    // Its own start, and the last measurement, take some time too.
    let (until, mut rows) = (Instant::now() + time + Duration::from_secs(2), 0);
    tell(Event::Progress(0.0, "Flask".into()));
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => {
                tell(Event::Row(serde_json::from_str(&line)?));
                rows += 1;
                tell(Event::Progress((rows as f64 / cells as f64).min(1.0), "Flask".into()));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {
                // Somebody may have gone away meanwhile: this is seen when something is to be told.
                tell(Event::Progress((rows as f64 / cells as f64).min(1.0), "Flask".into()));
            }
            Err(RecvTimeoutError::Timeout) => {
                tell(Event::Note("Flask’s figures are not complete: the time was up.".to_owned()));
                return Ok(());
            }
        }
    }
    let mut said = String::new();
    stderr.read_to_string(&mut said)?;
    if !script.0.wait()?.success() {
        let why = said.lines().last().unwrap_or("it does not say why");
        tell(Event::Note(format!("{python}: {why}")));
    }
    Ok(())
}

/// The running script; it ends with this.
struct Script(Child);

impl Script {
    fn start(python: &str, plan: &Plan, time: Duration) -> io::Result<Script> {
        let works: Vec<_> = plan.works.iter().map(|work| work.name()).collect();
        let threads: Vec<_> = plan.concurrency.iter().map(|threads| threads.to_string()).collect();
        let mut command = Command::new(python);
        // Read from its input: so it is there wherever the program is.
        command.args(["-", "--lines", "--work", &works.join(","), "--concurrency", &threads.join(",")]);
        command.args(["--n", &plan.fragments.to_string(), "--seconds", &time.as_secs_f64().to_string()]);
        for work in &plan.works {
            if let Work::Fetch(from) = work {
                command.args(["--endpoint", &from.to_string()]);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map(Script)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It has ended, or is no longer wanted; either way nothing is to be left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hand_over(mut stdin: ChildStdin) -> Result<()> {
    match stdin.write_all(SCRIPT.as_bytes()) {
        // Ended before it had read all: what it said on its other pipe tells why.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}
