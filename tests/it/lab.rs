//! `examples/lab`, as its visitors and its command line see it.

#[path = "../../examples/lab/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own; its `main` is not called here")]
mod program;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use dewar::TestClient;
use dewar::server::{Server, ServerHandle};
use program::OwnOptions;
use program::lab::histogram::Histogram;
use program::lab::loops::KINDS;
use program::lab::plan::CHOICES;
use program::lab::report::{COLUMNS, Report, Row};
use serde_json::Value;

use crate::support::alone;

fn client() -> TestClient {
    program::app(false).test_client()
}

fn options(args: &[&str]) -> OwnOptions {
    OwnOptions::take(args.iter().map(|arg| arg.to_string())).unwrap()
}

/// The events of a stream: name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let events = text.split_terminator("\n\n").filter(|event| !event.starts_with(':'));
    events
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            (name.strip_prefix("event: ").unwrap().to_owned(), data)
        })
        .collect()
}

#[test]
fn the_page_has_the_form_and_says_what_the_kinds_are() {
    let response = client().get("/");
    assert_eq!(response.status(), 200, "{:?}", response.error());
    let page = response.text();
    for kind in KINDS {
        assert!(page.contains(&format!("<dt>{}</dt>", kind.name)), "{} is missing: {page}", kind.name);
    }
    for (name, _) in CHOICES {
        assert!(page.contains(&format!("<option value=\"{name}\"")), "{name} is missing: {page}");
    }
    assert!(page.contains("<div id=\"results\"></div>"), "nothing is measured unasked: {page}");
    assert!(response.header("content-security-policy").unwrap().contains("script-src 'self'"));
}

#[test]
fn without_a_script_the_form_brings_charts_and_a_table_of_every_kind() {
    let response = client().get("/?work=ready&n=20&concurrency=1&concurrency=4");
    assert_eq!(response.status(), 200, "{:?}", response.error());
    let page = response.text();
    assert!(page.contains("On one thread, a fragment that is ready at once cost"), "{page}");
    assert_eq!(
        page.matches("<svg width=\"360\"").count(),
        3,
        "bars for the fewest and the most threads, and lines: {page}"
    );
    for kind in KINDS {
        let in_the_table = format!("<th scope=\"row\">{}<", kind.name);
        assert_eq!(page.matches(&in_the_table).count(), 2, "{} is not in the table: {page}", kind.name);
        assert!(page.contains(&format!("{}: ", kind.name)), "{} is not in the bars: {page}", kind.name);
        assert!(page.contains(&format!("dewar\tready\t{}\t1\t21\t", kind.name)), "not to be copied: {page}");
    }
}

#[test]
fn every_colour_of_a_chart_is_one_that_the_style_sheet_knows() {
    let page = client().get("/?work=ready&n=5&concurrency=1&concurrency=2").text();
    let style = include_str!("../../static/style.css");
    let mut colours = 0;
    for attribute in ["fill=\"#", "stroke=\"#"] {
        for (at, _) in page.match_indices(attribute) {
            let whole = &page[at..at + attribute.len() + 7];
            assert!(style.contains(whole), "{whole} has no other colour in the dark");
            colours += 1;
        }
    }
    assert!(colours > 20, "{colours}");
    for colour in program::lab::charts::LINES {
        let colour = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
        assert!(
            style.contains(&format!("fill=\"{colour}\"")) && style.contains(&format!("stroke=\"{colour}\"")),
            "{colour}"
        );
    }
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_values_that_can() {
    let client = client();
    for (query, field, mistake) in [
        ("n=abc", "n", "A whole number from 1 to 100000, please."),
        ("n=0", "n", "A whole number from 1 to 100000, please."),
        ("n=100001", "n", "A whole number from 1 to 100000, please."),
        ("concurrency=1000", "concurrency", "One or more of 1, 2, 4, 8, 16, 32, 64, please."),
        ("concurrency=1&concurrency=3", "concurrency", "One or more of 1, 2, 4, 8, 16, 32, 64, please."),
        ("work=%3Cnap%3E", "work", "Choose from ready, sleep1, sleep10, fetch, please."),
    ] {
        let response = client.get(&format!("/?{query}"));
        assert_eq!(response.status(), 422, "{query}");
        let page = response.text();
        assert!(page.contains(&format!("id=\"{field}-mistake\">{mistake}<")), "{query}: {page}");
        assert_eq!(page.matches("class=\"mistake\"").count(), 1, "{query}: {page}");

        let response = client.get(&format!("/events?{query}"));
        assert_eq!((response.status(), response.text().as_str()), (422, mistake), "{query}");
    }
    assert!(client.get("/?n=%22x%22").text().contains("value=\"&#34;x&#34;\""), "what was typed is there again");
}

#[test]
fn events_come_in_order_and_end_with_the_results() {
    let response = client().get("/events?work=ready&n=10&concurrency=1&concurrency=2");
    assert_eq!(response.status(), 200, "{:?}", response.error());
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("cache-control"), Some("no-store"));

    let events = events(&response.text());
    let (name, run) = &events[0];
    assert_eq!((name.as_str(), &run["own"], &run["what"]), ("begin", &true.into(), &"ready on 1, 2 threads".into()));
    let of = |wanted: &str| events.iter().filter(|(name, _)| name == wanted).map(|(_, data)| data).collect::<Vec<_>>();
    let rows: Vec<_> = of("row").into_iter().map(|row| row["html"].as_str().unwrap()).collect();
    assert_eq!(rows.len(), 2 * KINDS.len());
    for (row, kind) in rows.iter().zip(KINDS) {
        assert!(row.contains(&format!("<th scope=\"row\">{}<", kind.name)), "{row}");
    }
    let parts: Vec<_> = of("progress").into_iter().map(|progress| progress["part"].as_f64().unwrap()).collect();
    assert!(parts.is_sorted() && parts.iter().all(|part| (0.0..=1.0).contains(part)), "{parts:?}");
    let (name, done) = events.last().unwrap();
    assert_eq!(name, "done");
    assert_eq!(done["html"].as_str().unwrap().matches("<svg").count(), 3);
}

/// A server with a lab, and how to follow its events.
struct Serving(ServerHandle);

impl Serving {
    fn start() -> Serving {
        let service = program::app(false).into_service().unwrap();
        Serving(Server::bind("127.0.0.1:0").unwrap().start(Arc::new(service)).unwrap())
    }

    fn get(&self, path: &str) -> BufReader<TcpStream> {
        let mut socket = TcpStream::connect(self.0.addr().to_string()).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n").unwrap();
        BufReader::new(socket)
    }
}

/// Reads on until a line has this in it.
fn until(reader: &mut BufReader<TcpStream>, wanted: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the end came before {wanted:?}");
        if line.contains(wanted) {
            return line;
        }
    }
}

#[test]
fn who_comes_later_sees_the_run_that_goes_on_and_it_stops_when_all_have_gone() {
    let serving = Serving::start();
    // Long: it is stopped before it ends. The events of the others show that it goes on.
    let long = "/events?work=sleep10&n=100000&concurrency=1&concurrency=2&concurrency=4&concurrency=8";
    let mut first = serving.get(long);
    let begin = until(&mut first, "\"own\"");
    assert!(begin.contains("\"own\":true") && begin.contains("sleep10 on 1, 2, 4, 8 threads"), "{begin}");
    until(&mut first, "event: row");

    let mut second = serving.get("/events?work=ready&n=1&concurrency=1");
    let begin = until(&mut second, "\"own\"");
    assert!(begin.contains("\"own\":false") && begin.contains("sleep10 on"), "{begin}");
    assert!(begin.contains("\"who\":\"127.0.0.1\""), "{begin}");
    until(&mut second, "event: row"); // from the beginning

    let mut plain = serving.get("/?work=ready&n=1&concurrency=1");
    assert!(until(&mut plain, "HTTP/1.1").contains(" 503 "));
    until(&mut plain, "retry-after: ");
    until(&mut plain, "Somebody else (127.0.0.1) is measuring now: sleep10 on 1, 2, 4, 8 threads.");

    // One goes: it goes on for the other.
    drop(first);
    until(&mut second, "event: row");
    until(&mut second, "event: row");
    // Nobody is left. That is found out by a write that fails, and then the lab is free for the next.
    drop(second);
    loop {
        let mut next = serving.get("/events?work=ready&n=1&concurrency=1");
        if until(&mut next, "\"own\"").contains("\"own\":true") {
            until(&mut next, "event: done");
            break;
        }
    }
    serving.0.shutdown(Duration::from_secs(5));
}

#[test]
fn fetches_are_measured_both_ways() {
    let report = options(&["--json", "--work", "fetch", "--n", "1", "--concurrency", "1"]).measure().unwrap();
    let works: Vec<_> = report.rows.iter().map(|row| row.work.as_str()).collect();
    assert_eq!(works, [vec!["fetch"; KINDS.len()], vec!["fetch-in-turn"; KINDS.len()]].concat());
    assert!(report.meaning().last().unwrap().starts_with("What a loop is for: ten fetches one after the other took"));
    assert!(report.rows.iter().all(|row| row.fragments == 2), "{:?}", report.rows);
}

#[test]
fn fetches_in_turn_are_measured_where_they_are_compared() {
    let report = options(&["--json", "--work", "fetch", "--n", "1", "--concurrency", "2,1"]).measure().unwrap();
    let threads = |work: &str| -> Vec<usize> {
        let rows = report.rows.iter().filter(|row| row.work == work && row.kind == "PerThread");
        rows.map(|row| row.concurrency).collect()
    };
    assert_eq!(threads("fetch"), [1, 2]);
    assert_eq!(threads("fetch-in-turn"), [1], "with the fewest threads only");
}

#[test]
fn options_without_an_effect_are_mistakes() {
    let refused = |args: &[&str]| OwnOptions::take(args.iter().map(|arg| arg.to_string())).unwrap_err().to_string();
    assert_eq!(refused(&["--json=no"]), "--json takes no value: write it without =no");
    assert_eq!(refused(&["--flask=1", "--csv"]), "--flask takes no value: write it without =1");
    for alone in ["--quick", "--work=ready", "--n=5", "--concurrency=1"] {
        let refused = refused(&[alone]);
        let name = alone.split('=').next().unwrap();
        assert!(refused.starts_with(&format!("{name} is for --json and --csv")), "{refused}");
    }
    options(&["--quick", "--csv"]);
    options(&["--flask", "--port", "0"]);
    options(&["--quick", "--help"]);
}

#[test]
fn loops_are_counted() {
    // The counters are those of the whole process.
    alone("lab::loops_are_counted", || {
        let report =
            options(&["--json", "--work", "ready,sleep1", "--n", "5", "--concurrency", "2"]).measure().unwrap();
        let loops = |work: &str, kind: &str| {
            let row = report.rows.iter().find(|row| row.work == work && row.kind == kind);
            row.map(|row| (row.fragments, row.loops)).unwrap()
        };
        assert_eq!(loops("ready", "no loop"), (12, Some(0)));
        assert_eq!(loops("ready", "PerRequest"), (12, Some(12)), "one for each");
        assert_eq!(loops("ready", "own_thread"), (12, Some(12)));
        assert_eq!(loops("ready", "PerThread"), (12, Some(0)), "none is needed");
        assert_eq!(loops("sleep1", "PerThread"), (12, Some(2)), "one for each thread");
    });
}

#[test]
fn json_has_every_figure_of_every_kind() {
    let own = options(&["--json", "--quick", "--work=ready", "--n", "10"]);
    assert!(own.json && !own.csv);
    let report: Value = serde_json::from_str(&own.measure().unwrap().json().unwrap()).unwrap();
    assert_eq!(report["notes"], Value::Array(Vec::new()));
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2 * KINDS.len(), "on 1 and on 8 threads");
    for row in rows {
        let names: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted = COLUMNS.map(|(name, _)| name).to_vec();
        wanted.sort_unstable();
        assert_eq!(
            {
                let mut names = names;
                names.sort_unstable();
                names
            },
            wanted
        );
        assert_eq!((&row["source"], &row["work"]), (&"dewar".into(), &"ready".into()));
        assert!(row["p50_ns"].as_u64().unwrap() <= row["p99_ns"].as_u64().unwrap(), "{row}");
        assert!(row["per_second"].as_f64().unwrap() > 0.0, "{row}");
        if cfg!(target_os = "linux") {
            assert!(row["threads"].as_u64().unwrap() > row["concurrency"].as_u64().unwrap(), "{row}");
            assert!(row["resident_kib"].as_u64().unwrap() > 0, "{row}");
        }
        assert_eq!(cfg!(unix), row["cpu_us_per_fragment"].is_f64(), "{row}");
    }
}

fn row() -> Row {
    Row {
        source: "dewar".into(),
        work: "ready".into(),
        kind: "a, \"quoted\" kind".into(),
        concurrency: 4,
        fragments: 2004,
        loops: None,
        ns_per_fragment: 131,
        p50_ns: 125,
        p99_ns: 1_250_000,
        per_second: 7_600_000.25,
        threads: Some(9),
        resident_kib: None,
        cpu_us_per_fragment: Some(0.125),
    }
}

#[test]
fn csv_tsv_and_markdown_have_the_same_figures() {
    let report = Report { rows: vec![row()], notes: Vec::new() };
    let names = "source,work,kind,concurrency,fragments,loops,ns_per_fragment,p50_ns,p99_ns,per_second,threads,\
                 resident_kib,cpu_us_per_fragment";
    assert_eq!(
        report.csv(),
        format!("{names}\r\ndewar,ready,\"a, \"\"quoted\"\" kind\",4,2004,,131,125,1250000,7600000.2,9,,0.125\r\n")
    );
    let tsv = report.tsv();
    assert_eq!(tsv.lines().next().unwrap(), names.replace(',', "\t"));
    assert!(tsv.lines().all(|line| line.split('\t').count() == COLUMNS.len()), "{tsv}");
    let last = "| ready | a, \"quoted\" kind | 4 | 2004 | – | 125 ns | 1.25 ms | 7.6 M | 125 ns | 9 | – |\n";
    assert!(report.markdown().ends_with(last), "{}", report.markdown());
}

#[test]
fn the_command_line_refuses_what_it_does_not_know() {
    let refused = |args: &[&str]| options(args).measure().unwrap_err().to_string();
    assert!(refused(&["--json", "--port", "80"]).contains("--port is for serving"));
    assert!(refused(&["--json", "--work", "nap"]).contains("--work: Choose from ready, sleep1, sleep10, fetch"));
    assert!(refused(&["--csv", "--concurrency=1,3"]).contains("--concurrency: One or more of 1, 2, 4"));
    let error = OwnOptions::take(["--n".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("--n needs a value"), "{error}");
    assert_eq!(options(&["--flask", "--port", "80", "--debug"]).others, ["--port", "80", "--debug"]);
}

#[test]
fn a_histogram_finds_percentiles_within_one_part_in_512() {
    let mut all = Histogram::default();
    assert_eq!(all.percentile(50), 0);
    for half in [1..=600_000_u64, 600_001..=1_000_000] {
        let mut some = Histogram::default();
        half.for_each(|value| some.add(value));
        all.merge(&some);
    }
    assert_eq!((all.count, all.mean()), (1_000_000, 500_000));
    for (percent, exact) in [(0, 1), (50, 500_000), (99, 990_000), (100, 1_000_000)] {
        let found = all.percentile(percent);
        assert!(found.abs_diff(exact) <= exact / 512 + 1, "{percent} %: {found}, not {exact}");
    }
    let mut longest = Histogram::default();
    longest.add(u64::MAX);
    assert!(longest.percentile(100) >= u64::MAX / 512 * 511);
}

#[test]
fn flask_is_beside_ours_or_it_is_said_that_it_is_not_at_hand() {
    let report = options(&["--json", "--quick", "--flask", "--work", "ready", "--n", "2", "--concurrency", "1"]);
    let report = report.measure().unwrap();
    let flask: Vec<_> = report.rows.iter().filter(|row| row.source == "flask").collect();
    assert_eq!(report.rows.len() - flask.len(), KINDS.len());
    match &report.notes[..] {
        [] => {
            let kinds: Vec<_> = flask.iter().map(|row| row.kind.as_str()).collect();
            assert_eq!(kinds, ["flask sync view", "flask async view", "asyncio.run", "executor + new loop"]);
            assert_eq!(flask[1].loops, Some(3), "Flask makes a loop for each call");
        }
        [note] => assert!(note.contains("Flask is not at hand") && flask.is_empty(), "{note}"),
        notes => panic!("{notes:?}"),
    }
}
