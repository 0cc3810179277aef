//! The lab: what does an event loop per request cost? Measured on this machine, as you watch.
//!
//! ```text
//! cargo run --release --example lab                      # then open http://127.0.0.1:5000
//! cargo run --release --example lab -- --json            # or the figures at once, as JSON; --csv as CSV
//! cargo run --release --example lab -- --json --flask    # with Flask's own beside them
//! ```
//!
//! `--help` lists all options. `mod.rs` says what is in which file.

#[path = "mod.rs"]
pub(crate) mod lab;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dewar::{App, Error, Response, Result, RunOptions};

use lab::plan::{Asked, TIME};
use lab::report::Report;
use lab::{measure, page};

const USAGE: &str = "\
What does an event loop per request cost? Without --json and --csv, serves a page that shows it.

  --json           prints the figures as JSON, and ends
  --csv            prints them as CSV, and ends
  --quick          takes less than five seconds for that, instead of twenty
  --work NAMES     the fragments, with commas between: ready, sleep1, sleep10, fetch (ready,sleep1,fetch)
  --n NUMBER       at most so many fragments on each thread, 1 to 100000 (20000)
  --concurrency N  numbers of threads, with commas between: some of 1, 2, 4, 8, 16, 32, 64 (1,8,64)
  --flask          measures Flask too, on the page as well; LAB_PYTHON names a Python that has it (python3)
";

/// The app, apart from `main` so that the tests can drive it.
pub fn app(flask: bool) -> App {
    let mut app = App::new("lab");
    // From wherever the program is started.
    app.static_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/static"));
    app.template("base.html", include_str!("templates/base.html"));
    app.after_request(|response: Response| response.with_header("x-content-type-options", "nosniff"));
    page::add_to(&mut app, "/", flask);
    app
}

fn main() -> Result<()> {
    let own = OwnOptions::take(std::env::args().skip(1))?;
    if own.json || own.csv {
        let report = own.measure()?;
        report.notes.iter().for_each(|note| eprintln!("{note}"));
        print!("{}", if own.json { report.json()? + "\n" } else { report.csv() });
        return Ok(());
    }
    app(own.flask).run_with(RunOptions::from_env_and(own.others)?)
}

fn is_help(arg: &str) -> bool {
    matches!(arg, "--help" | "-h")
}

/// What the command line says to the lab, and not to the server.
#[derive(Debug, Default)]
pub(crate) struct OwnOptions {
    pub(crate) json: bool,
    pub(crate) csv: bool,
    quick: bool,
    flask: bool,
    work: Option<String>,
    n: Option<String>,
    concurrency: Option<String>,
    /// The server's.
    pub(crate) others: Vec<String>,
}

impl OwnOptions {
    /// Sorts the arguments.
    ///
    /// # Errors
    /// When an option has no value, or one that it does not take; when one has nothing to say without another.
    pub(crate) fn take(args: impl IntoIterator<Item = String>) -> Result<OwnOptions> {
        let mut own = OwnOptions::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let flag = match name {
                "--json" => &mut own.json,
                "--csv" => &mut own.csv,
                "--quick" => &mut own.quick,
                "--flask" => &mut own.flask,
                "--work" | "--n" | "--concurrency" => {
                    let value = value.or_else(|| args.next());
                    let value =
                        value.ok_or_else(|| Error::msg(format!("{name} needs a value; --help lists the options")))?;
                    match name {
                        "--work" => own.work = Some(value),
                        "--n" => own.n = Some(value),
                        _ => own.concurrency = Some(value),
                    }
                    continue;
                }
                name if is_help(name) => {
                    // The server says its own, and ends the program.
                    println!("{USAGE}");
                    own.others.push(arg);
                    continue;
                }
                _ => {
                    own.others.push(arg);
                    continue;
                }
            };
            if let Some(value) = value {
                return Err(Error::msg(format!("{name} takes no value: write it without ={value}")));
            }
            *flag = true;
        }
        let is_said = [("--quick", own.quick), ("--work", own.work.is_some()), ("--n", own.n.is_some())]
            .into_iter()
            .chain([("--concurrency", own.concurrency.is_some())])
            .find(|(_, is_said)| *is_said);
        if let (Some((name, _)), false) = (is_said, own.json || own.csv || own.others.iter().any(|arg| is_help(arg))) {
            return Err(Error::msg(format!(
                "{name} is for --json and --csv, and neither is there: on the page, the form says what is measured"
            )));
        }
        Ok(own)
    }

    /// Measures what was asked for.
    ///
    /// # Errors
    /// When there is no such thing to be measured; those of the measuring.
    pub(crate) fn measure(&self) -> Result<Report> {
        if let Some(other) = self.others.first() {
            return Err(Error::msg(format!(
                "{other} is for serving, and --json and --csv do not serve; --help lists the options"
            )));
        }
        let list = |given: &Option<String>, usual: &str| {
            given.as_deref().unwrap_or(usual).split(',').map(|part| part.trim().to_owned()).collect()
        };
        let asked = Asked {
            work: list(&self.work, "ready,sleep1,fetch"),
            n: self.n.clone().unwrap_or_else(|| Asked::default().n),
            concurrency: list(&self.concurrency, if self.quick { "1,8" } else { "1,8,64" }),
        };
        let time = if self.quick { Duration::from_secs(4) } else { TIME };
        let plan = asked.plan(time, self.flask).map_err(|mistakes| {
            let mistakes: Vec<_> = mistakes.iter().map(|(field, mistake)| format!("--{field}: {mistake}")).collect();
            Error::msg(mistakes.join("\n"))
        })?;
        let mut report = Report::default();
        measure::run(&plan, &AtomicBool::new(false), &mut |event| report.take(event))?;
        Ok(report)
    }
}
