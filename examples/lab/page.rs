//! The lab's page. Without a script, its form brings the finished page; with one, the figures come as they are measured,
//! as server-sent events.

use std::sync::LazyLock;
use std::time::Instant;

use dewar::minijinja::{self, Environment};
use dewar::{App, Body, IntoResponse, Request, Response, Result, State, context, render};
use serde::Serialize;
use serde_json::{Value, json};

use super::charts;
use super::endpoint::DELAY;
use super::live::{Lab, Run, Sight, Watcher};
use super::loops::KINDS;
use super::plan::{Asked, CHOICES, CONCURRENCY, FRAGMENTS, Mistakes, TIME};
use super::report::{self, Report, Row};

/// Adds the lab to an app that has a `base.html` and the static files: its page at `rule`, its events below.
pub(crate) fn add_to(app: &mut App, rule: &str, flask: bool) {
    app.template("lab.html", include_str!("templates/lab.html"));
    app.template("head.html", include_str!("templates/head.html"));
    app.shared_state(Lab::new(flask));
    app.get(rule, page).endpoint("lab");
    app.get(&format!("{}/events", rule.trim_end_matches('/')), events).endpoint("lab_events");
}

/// What is on the page beside its form.
#[derive(Default, Serialize)]
struct Outcome {
    mistakes: Mistakes,
    /// Who measures now, what, and how long that can take.
    busy: Option<Value>,
    /// Why there are no results.
    failed: Option<String>,
    results: Option<String>,
}

fn page(request: Request, lab: State<Lab>) -> Result<Response> {
    let lab = lab.into_inner();
    let Some(asked) = Asked::from_form(request.args()) else {
        return show(&Asked::default(), Outcome::default(), 200);
    };
    let plan = match asked.plan(TIME, lab.flask) {
        Ok(plan) => plan,
        Err(mistakes) => return show(&asked, Outcome { mistakes, ..Outcome::default() }, 422),
    };
    match lab.run(plan, &name_of(&request)) {
        Ok(Ok(report)) => show(&asked, Outcome { results: Some(results(&report)?), ..Outcome::default() }, 200),
        Ok(Err(why)) => show(&asked, Outcome { failed: Some(why), ..Outcome::default() }, 500),
        Err(other) => {
            let outcome = Outcome { busy: Some(in_words(&other)), ..Outcome::default() };
            Ok(show(&asked, outcome, 503)?.with_header("retry-after", &seconds_left(&other).to_string()))
        }
    }
}

fn show(asked: &Asked, outcome: Outcome, status: u16) -> Result<Response> {
    let kinds: Vec<_> = KINDS.iter().map(|kind| json!({ "name": kind.name, "what": kind.what })).collect();
    // The list as it was compiled: the code on the page is the code that was run.
    let source = include_str!("loops.rs");
    let code = source.find("pub(crate) const KINDS").map_or("", |at| &source[at..]);
    let limits = json!({
        "choices": CHOICES,
        "concurrency": CONCURRENCY.map(|threads| threads.to_string()),
        "most": FRAGMENTS.end(),
        "seconds": TIME.as_secs() + 2,
        "delay": DELAY.as_millis() as u64,
    });
    let page = render("lab.html", context! { asked, outcome, limits, kinds, code })?;
    // One script, of this site: it asks for the events.
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    Ok((page, status).into_response()?.with_header("content-security-policy", POLICY))
}

/// Who asks: for others to know.
fn name_of(request: &Request) -> String {
    request.remote_addr().map_or_else(|| "somebody".to_owned(), |addr| addr.ip().to_string())
}

fn in_words(run: &Run) -> Value {
    json!({ "who": run.who, "what": run.plan.in_words(), "seconds": seconds_left(run) })
}

/// How long a run can still take.
fn seconds_left(run: &Run) -> u64 {
    (run.plan.time.saturating_sub(Instant::now() - run.began)).as_secs() + 2
}

/// The figures as they are measured. Who comes while others measure sees theirs. Who goes away stops the run, unless
/// somebody else watches it: the next event cannot be written, so the body is dropped, and with it the watcher.
fn events(request: Request, lab: State<Lab>) -> Result<Response> {
    let lab = lab.into_inner();
    let plan = match Asked::from_form(request.args()).unwrap_or_default().plan(TIME, lab.flask) {
        Ok(plan) => plan,
        Err(mistakes) => return (mistakes.into_values().collect::<Vec<_>>().join("\n"), 422).into_response(),
    };
    let watcher = lab.watch(plan, &name_of(&request))?;
    let several = watcher.run.plan.works.len() > 1;
    let stream = Body::blocks(first_event(&watcher).chain(watcher.map(move |sight| event(sight, several))));
    // No cache, and no proxy, is to keep events back.
    Ok(Response::typed("text/event-stream", stream)
        .with_header("cache-control", "no-store")
        .with_header("x-accel-buffering", "no"))
}

fn first_event(watcher: &Watcher) -> impl Iterator<Item = String> + use<> {
    let mut run = in_words(&watcher.run);
    run["own"] = watcher.own.into();
    std::iter::once(named("begin", &run))
}

fn event(sight: Sight, several: bool) -> String {
    match sight {
        Sight::Progress(part, what) => named("progress", &json!({ "part": part, "what": &*what })),
        Sight::Row(row) => match fragment("rows.html", context! { rows => [row], several }) {
            Ok(html) => named("row", &json!({ "html": html })),
            Err(error) => named("failed", &json!({ "why": error.to_string() })),
        },
        // A comment: nobody reads it, but who has gone away is found out.
        Sight::Nothing => ":\n\n".to_owned(),
        Sight::End(Ok(report)) => match results(&report) {
            Ok(html) => named("done", &json!({ "html": html })),
            Err(error) => named("failed", &json!({ "why": error.to_string() })),
        },
        Sight::End(Err(why)) => named("failed", &json!({ "why": why })),
    }
}

/// An event in the format of HTML's section 9.2.6. JSON has no line breaks, so its data is one line.
fn named(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// The results' part of the page.
fn results(report: &Report) -> Result<String> {
    let figures = figures(report)?;
    let several = report.works().len() > 1;
    let (tsv, markdown) = (report.tsv(), report.markdown());
    let (meaning, rows, notes) = (report.meaning(), &report.rows, &report.notes);
    Ok(fragment("results.html", context! { figures, meaning, rows, several, notes, tsv, markdown })?)
}

/// The charts: their titles, what their colours mean, and themselves.
fn figures(report: &Report) -> Result<Vec<Value>> {
    let mut figures = Vec::new();
    let of = |work: &str, threads: Option<usize>| -> Vec<&Row> {
        let wanted = |row: &&Row| row.work == work && threads.is_none_or(|threads| row.concurrency == threads);
        report.rows.iter().filter(wanted).collect()
    };
    let threads = report.rows.iter().map(|row| row.concurrency);
    let (Some(fewest), Some(most)) = (threads.clone().min(), threads.max()) else { return Ok(figures) };
    let on = |threads: usize| format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
    for work in report.works() {
        let at_once = of("fetch", Some(fewest));
        if work == "fetch-in-turn" && !at_once.is_empty() {
            let other = |row: &Row| at_once.iter().find(|other| other.kind == row.kind).map(|other| other.p50_ns);
            let pair = |row: &Row| {
                let [at_once, in_turn] = [other(row)?, row.p50_ns];
                let label = format!("{}: {}, in turn {}", row.kind, report::time(at_once), report::time(in_turn));
                Some((label, [at_once, in_turn]))
            };
            let pairs: Vec<_> = of(work, Some(fewest)).into_iter().filter_map(pair).collect();
            let title = format!("Ten fetches at once and in turn, {}", on(fewest));
            let keys = ["all at once (median)", "one after the other"];
            figures.push(json!({ "title": title, "keys": keys, "svg": charts::bars(&pairs)? }));
            continue;
        }
        for threads in if most > fewest { vec![fewest, most] } else { vec![fewest] } {
            let pair = |row: &Row| {
                let [median, p99] = [row.p50_ns, row.p99_ns];
                (format!("{}: {}, p99 {}", row.kind, report::time(median), report::time(p99)), [median, p99])
            };
            let pairs: Vec<_> = of(work, Some(threads)).into_iter().map(pair).collect();
            let title = format!("{work}: time per fragment, {}", on(threads));
            let keys = ["median", "p99: one in a hundred took longer"];
            figures.push(json!({ "title": title, "keys": keys, "svg": charts::bars(&pairs)? }));
        }
        if most > fewest {
            let title = format!("{work}: fragments per second, by the number of threads");
            figures.push(json!({ "title": title, "svg": charts::lines(&of(work, None))? }));
        }
    }
    Ok(figures)
}

/// Pieces of the page that are made while a response is sent, when there is no request any more to ask for templates.
fn fragment(name: &str, values: minijinja::Value) -> Result<String, minijinja::Error> {
    static PIECES: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut pieces = Environment::new();
        for (name, source) in [
            ("head.html", include_str!("templates/head.html")),
            ("rows.html", include_str!("templates/rows.html")),
            ("results.html", include_str!("templates/results.html")),
        ] {
            pieces.add_template(name, source).expect("the template is right");
        }
        pieces.add_filter("time", report::time);
        pieces.add_filter("count", report::count);
        pieces.add_filter("memory", report::memory);
        pieces
    });
    PIECES.get_template(name)?.render(values)
}
