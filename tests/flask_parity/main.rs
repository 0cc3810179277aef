//! Dewar against Flask itself: the same bytes go to both, and what comes back is compared. README.md has the format.
//!
//! ```text
//! cargo test --all-features --test flask_parity                    # everything
//! cargo test --all-features --test flask_parity -- cookies         # the topics and cases with this in their names
//! cargo test --all-features --test flask_parity -- cookies --show  # and what they answered
//! ```

mod cases;
mod compare;
mod jar;
mod known;
mod python;
mod report;
mod rules;
mod topics;
mod wire;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dewar::App;
use dewar::server::{Server, ServerHandle};

use cases::Case;
use compare::Difference;
use jar::Jar;
use known::Known;
use python::Flask;
use wire::Answer;

/// The folder of this suite.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flask_parity")
}

/// An app whose root is the topic's folder, as that of the Flask side is.
pub(crate) fn app(topic: &str) -> App {
    let mut app = App::new("parity");
    app.root_path(folder().join("topics").join(topic));
    app
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        println!("flask_parity: test");
        return ExitCode::SUCCESS;
    }
    // A view that panics is a difference, and told as one: no backtrace.
    std::panic::set_hook(Box::new(|panic| println!("({})", panic.to_string().replace('\n', " "))));
    let show = args.iter().any(|arg| arg == "--show");
    let filters: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    match Suite::read(&filters).and_then(|suite| suite.run(show)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("flask_parity: {why}");
            ExitCode::FAILURE
        }
    }
}

/// A topic's cases.
struct Topic {
    name: String,
    app: fn() -> App,
    cases: Vec<Case>,
}

struct Suite {
    topics: Vec<Topic>,
    known: Known,
    whole: bool,
}

#[derive(Default)]
struct Counts {
    cases: usize,
    equal: usize,
    known: usize,
    failed: usize,
}

impl Suite {
    fn read(filters: &[&str]) -> Result<Suite, String> {
        let folder = folder();
        let known = Known::read(&folder)?;
        let said = |error: std::io::Error| error.to_string();
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder.join("topics")).map_err(said)? {
            let entry = entry.map_err(said)?;
            if entry.file_type().map_err(said)?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        if let Some(lost) = known.topics().find(|topic| !names.iter().any(|name| name == topic)) {
            return Err(format!("known.toml names the topic {lost}, which there is not"));
        }
        let mut topics = Vec::new();
        for name in names {
            let app = topics::APPS.iter().find(|(known, _)| *known == name);
            let (_, app) = *app.ok_or_else(|| format!("the topic {name} is not in topics.rs"))?;
            let mut cases = cases::read(&folder.join("topics").join(&name).join("cases.txt"))?;
            let wanted = |case: &Case| filters.iter().any(|filter| name.contains(filter) || case.name.contains(filter));
            // What uses a jar needs the cases before it.
            if !filters.is_empty() && !cases.iter().any(|case| case.jar.is_some() && wanted(case)) {
                cases.retain(wanted);
            }
            if !cases.is_empty() {
                topics.push(Topic { name, app, cases });
            }
        }
        Ok(Suite { topics, known, whole: filters.is_empty() })
    }

    /// Runs the cases; whether all is well.
    fn run(mut self, show: bool) -> Result<bool, String> {
        if self.topics.is_empty() {
            println!("flask_parity: no case has such a name");
            return Ok(true);
        }
        let python = match python::interpreter(&folder()) {
            Ok(python) => python,
            Err(why) => {
                println!("flask_parity: SKIPPED, nothing was compared: there is no Flask to compare with.\n{why}");
                return Ok(true);
            }
        };
        let topics = std::mem::take(&mut self.topics);
        let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let flask = Flask::start(&python, &folder(), &names)?;
        println!("flask_parity: {}", flask.versions);
        let mut counts = Counts::default();
        for topic in &topics {
            self.topic(topic, &flask, show, &mut counts)?;
        }
        let mut well = counts.failed == 0;
        // A case that was left out says nothing of its differences.
        if self.whole {
            for unseen in self.known.unseen(&names) {
                println!("no longer a difference, so take it out: {unseen}");
                well = false;
            }
        }
        let Counts { cases, equal, known, failed } = counts;
        println!("flask_parity: {cases} cases, {equal} equal, {known} known, {failed} failed");
        Ok(well)
    }

    fn topic(&mut self, topic: &Topic, flask: &Flask, show: bool, counts: &mut Counts) -> Result<(), String> {
        let server = serve(&topic.name, (topic.app)())?;
        let mut jars: HashMap<String, [Jar; 2]> = HashMap::new();
        let (cases_before, equal_before) = (counts.cases, counts.equal);
        for case in &topic.cases {
            counts.cases += 1;
            let jars = case.jar.as_ref().map(|name| jars.entry(name.clone()).or_default());
            let mut cookies = jars.as_deref().map_or([None, None], |[theirs, ours]| [theirs.header(), ours.header()]);
            if case.swap {
                cookies.swap(0, 1);
            }
            let mut requests = cookies.map(|cookie| case.bytes(cookie.as_deref()));
            if let Some(jars) = jars.as_deref() {
                let [theirs, ours] = requests;
                requests = [jars[0].fill(theirs), jars[1].fill(ours)];
            }
            // No answer is an answer of its own, and differs from any other.
            let ask = |port: u16, bytes: &[u8]| match wire::exchange(port, bytes, case.method == "HEAD") {
                Ok(answer) => answer,
                Err(why) => Answer { phrase: format!("no answer: {why}"), ..Answer::default() },
            };
            let theirs = ask(flask.port(&topic.name), &requests[0]);
            if show {
                println!("{}: {}\n{}", topic.name, case.name, report::shown(&theirs));
            }
            let as_said = case.expected.map_or(theirs.status < 400, |expected| theirs.status == expected);
            if !as_said {
                counts.failed += 1;
                println!(
                    "\n--- {}: {} (cases.txt:{}): Flask answers {}, which the case does not say\n{}",
                    topic.name,
                    case.name,
                    case.line,
                    theirs.status,
                    report::shown(&theirs)
                );
                continue;
            }
            let ours = ask(server.addr().port(), &requests[1]);
            if let Some(jars) = jars {
                jars[0].take(&theirs);
                jars[1].take(&ours);
            }
            self.judge(topic, case, [&requests[1], &requests[0]], [&theirs, &ours], flask, counts);
        }
        server.shutdown(Duration::from_secs(5));
        let (ran, equal) = (counts.cases - cases_before, counts.equal - equal_before);
        println!("  {:<16} {ran:>4} cases, {equal:>4} equal", topic.name);
        Ok(())
    }

    fn judge(
        &mut self,
        topic: &Topic,
        case: &Case,
        requests: [&[u8]; 2],
        [theirs, ours]: [&Answer; 2],
        flask: &Flask,
        counts: &mut Counts,
    ) {
        let differences = compare::differences(&topic.name, &flask.judge, theirs, ours);
        let unknown = |difference: &&Difference| !self.known.covers(&topic.name, &case.name, difference);
        let failed: Vec<_> = differences.iter().filter(unknown).cloned().collect();
        if !failed.is_empty() {
            counts.failed += 1;
            print!("{}", report::failure(&topic.name, case, requests[0], [theirs, ours], &failed));
        } else if !differences.is_empty() {
            counts.known += 1;
        } else {
            counts.equal += 1;
        }
    }
}

fn serve(topic: &str, app: App) -> Result<ServerHandle, String> {
    let service = app.into_service().map_err(|errors| format!("the Dewar side of {topic}: {errors}"))?;
    let server = Server::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    server.start(Arc::new(service)).map_err(|error| error.to_string())
}
