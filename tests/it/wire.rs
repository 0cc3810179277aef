//! What every engine must do on the wire: the conversations in `tests/wire`, and random ones compared.

mod answer;
mod differential;
mod run;
mod script;
mod services;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use dewar::server::EngineKind;

use crate::support;
use run::{Pieces, run};
use script::Case;
use services::Wired;

/// An engine, and what it does not even promise: see `tests/wire/README.md`.
pub(crate) struct Engine {
    name: &'static str,
    kind: EngineKind,
    /// It closes connections. Where one does not, threads and sockets are lost as well, so each case runs once only.
    closes: bool,
    /// It sends `100 Continue` where nobody asked for it.
    continues_needlessly: bool,
}

/// The engines of this build.
pub(crate) fn engines() -> Vec<Engine> {
    let all = [("native", true), ("tiny_http", false)];
    let built = all.into_iter().filter_map(|(name, whole)| Some((name, EngineKind::from_str(name).ok()?, whole)));
    built.map(|(name, kind, whole)| Engine { name, kind, closes: whole, continues_needlessly: !whole }).collect()
}

/// Each conversation, cut into pieces in three ways. `WIRE=chunked` runs those with that in their name.
#[test]
fn every_conversation_goes_as_written() {
    // What an engine leaks of threads and sockets must not hinder other tests.
    support::alone("wire::every_conversation_goes_as_written", || {
        let cases = cases();
        for engine in engines() {
            hold(&engine, &cases);
        }
    });
}

fn hold(engine: &Engine, cases: &[Case]) {
    let mut servers = HashMap::new();
    for case in cases {
        if !servers.contains_key(&case.service) {
            let wired =
                Wired::start(engine.kind, &case.service).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            servers.insert(case.service.clone(), wired);
        }
    }
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // They wait most of the time.
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(n) else { break };
                    if let Err(failure) = try_case(engine, case, &servers[&case.service]) {
                        failures.lock().unwrap().push((n, failure));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let known = cases.iter().filter(|case| case.fails.contains_key(engine.name)).count();
    let skipped = cases.iter().filter(|case| case.skips.contains_key(engine.name)).count();
    let count = format!("{}: {} cases, of them {known} known to fail, {skipped} skipped", engine.name, cases.len());
    let text: String = failures.iter().map(|(_, failure)| format!("\n{failure}")).collect();
    assert!(failures.is_empty(), "{count}; {} are not as they should be:{text}\n", failures.len());
}

fn try_case(engine: &Engine, case: &Case, wired: &Wired) -> Result<(), String> {
    let name = &case.name;
    if case.skips.contains_key(engine.name) {
        return Ok(());
    }
    let known = case.fails.get(engine.name);
    let all = Pieces::ALL.into_iter();
    // By its name, so that it is the same one whatever cases there are beside it.
    let turn: usize = name.bytes().map(usize::from).sum();
    let ways: Vec<Pieces> =
        if engine.closes || known.is_some() { all.collect() } else { all.skip(turn % 3).take(1).collect() };
    for pieces in ways {
        match (run(case, wired, engine, pieces), known) {
            (Ok(()), _) => {}
            (Err(_), Some(_)) => return Ok(()),
            (Err(what), None) => return Err(format!("{name} ({pieces:?}): {what}")),
        }
    }
    match known {
        None => Ok(()),
        Some(why) => Err(format!("{name}: it goes as written now, so drop its line `fails {}: {why}`", engine.name)),
    }
}

/// All files below `tests/wire`.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let only = env::var("WIRE").unwrap_or_default();
    let mut cases = Vec::new();
    let mut mistakes = Vec::new();
    let sorted = |path: &Path| {
        let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    for topic in sorted(&folder).iter().filter(|path| path.is_dir()) {
        for file in sorted(topic).iter().filter(|path| path.extension().is_some_and(|end| end == "wire")) {
            let name = file.strip_prefix(&folder).unwrap().with_extension("").display().to_string();
            match script::read(&name, &fs::read_to_string(file).unwrap()) {
                Ok(read) => cases.extend(read.into_iter().filter(|case| case.name.contains(&only))),
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }
    assert!(mistakes.is_empty(), "the conversations cannot be read:\n{}", mistakes.join("\n"));
    assert!(!cases.is_empty(), "there are no conversations in {}", folder.display());
    cases
}

/// That the runner sees what is wrong: a conversation that differs from what it should be, in each way.
#[test]
fn what_differs_is_told() {
    let hello = "> GET /a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\n";
    for engine in engines() {
        let wired = Wired::start(engine.kind, "echo").unwrap();
        for (rest, complaint) in [
            ("< 200\n<open\n<seen GET /a 0", ""),
            ("< 400|501\n<open", "the status should be one of [400, 501]"),
            ("< HTTP/1.0 200\n<open", "the version should be"),
            ("< 200\n< x: y\n<open", "the header x should be"),
            ("< 200\n<no date\n<open", "the header date should be"),
            ("< 200\n<body \"a\"\n<open", "the body should be \"a\""),
            ("< 200\n<body-has \"GET /b\"\n<open", "the body should have \"GET /b\" in it"),
            ("< 200\n<body cut\n<open", "the body should break off"),
            ("<open", "another answer came"),
            ("<close", "another answer came"),
            ("< 200\n<open\n<seen nothing", "the service was asked"),
            ("< 200\n<open\n<seen nothing whole", "the service was given as whole"),
            (
                "< 200\n<open\n<seen GET /a 0\n<seen GET /b 0\nfails native: x\nfails tiny_http: x",
                "the service was asked",
            ),
            ("< 200\n< 200\n<open\nfails native: x\nfails tiny_http: x", "nothing came"),
            ("> GET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\n< 200\n< 200\n<open", "what was smuggled"),
        ] {
            let cases = script::read("inline", &format!("{hello}{rest}")).unwrap();
            match run(&cases[0], &wired, &engine, Pieces::Whole) {
                Ok(()) => assert_eq!(complaint, "", "{rest}"),
                Err(what) => assert!(!complaint.is_empty() && what.contains(complaint), "{rest}: {what}"),
            }
        }
    }
}

#[test]
fn mistakes_in_a_file_are_told() {
    for (text, mistake) in [
        ("> GET\n", "what becomes of the connection"),
        ("> \\q\n<close\n", "is no escape"),
        ("> \\xg0\n<close\n", "is no byte"),
        ("GET / HTTP/1.1\n<close\n", "no such line"),
        ("<body \"a\"\n<close\n", "no answer that this belongs to"),
        ("< 200\n<body a\n<close\n", "not in quotes"),
        ("fails tiny_http\n<close\n", "of which engine, and why"),
        ("half-close\n<open\n", "must <close"),
    ] {
        let told = script::read("inline", text).unwrap_err();
        assert!(told.contains("inline.wire") && told.contains(mistake), "{told}");
    }
}
