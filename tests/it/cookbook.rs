//! The cookbook: each program prints what its head says.
//!
//! A program has a process of its own: this test binary again, told to run the one ignored test that calls the program's
//! `main`. So nothing else is in its `tasks()`, and its output is whole.
#![allow(unreachable_pub, reason = "the programs are crates of their own; here they are modules")]

#[cfg(unix)]
mod postgres;

use std::fs;
use std::path::Path;
use std::process::Command;

/// Around a program's output, which the test harness writes lines of its own before and after.
const BEGIN: &str = "---- the program begins";
const END: &str = "---- the program has ended";

macro_rules! programs {
    ($($(#[$cfg:meta])? $name:ident = $path:literal;)*) => {
        $(
            $(#[$cfg])?
            #[path = $path]
            mod $name;
        )*

        /// What the tests run in a process of its own.
        mod programs {
            $(
                $(#[$cfg])?
                #[test]
                #[ignore = "it is run by the test of the same name, in a process of its own"]
                fn $name() {
                    println!("\n{}", super::BEGIN);
                    super::$name::main().expect("the program comes to a good end");
                    println!("{}", super::END);
                }
            )*
        }

        $(
            $(#[$cfg])?
            #[test]
            fn $name() {
                assert_eq!(output(stringify!($name), None), heads(stringify!($name))[0]);
            }
        )*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

programs! {
    cache = "../../examples/cookbook/cache.rs";
    #[cfg(feature = "compute")]
    cpu = "../../examples/cookbook/cpu.rs";
    database = "../../examples/cookbook/database.rs";
    echo_server = "../../examples/cookbook/echo_server.rs";
    fetches = "../../examples/cookbook/fetches.rs";
    files = "../../examples/cookbook/files.rs";
    generator = "../../examples/cookbook/generator.rs";
    periodic = "../../examples/cookbook/periodic.rs";
    polite_client = "../../examples/cookbook/polite_client.rs";
    priorities = "../../examples/cookbook/priorities.rs";
    producer_consumer = "../../examples/cookbook/producer_consumer.rs";
    resource = "../../examples/cookbook/resource.rs";
    scrape = "../../examples/cookbook/scrape.rs";
    task_manager = "../../examples/cookbook/task_manager.rs";
    threads = "../../examples/cookbook/threads.rs";
    worker_pool = "../../examples/cookbook/worker_pool.rs";
}

#[test]
fn every_program_is_tested_registered_and_in_the_index() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let (manifest, index) = (read("Cargo.toml"), read("examples/cookbook/README.md"));
    let mut count = 0;
    for entry in fs::read_dir(root.join("examples/cookbook")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".rs") else { continue };
        count += 1;
        assert!(NAMES.contains(&name), "{file} has no line in `programs!`");
        assert!(
            manifest.contains(&format!("name = \"cookbook_{name}\"\npath = \"examples/cookbook/{file}\"\n")),
            "{file}"
        );
        assert!(index.contains(&format!("[{name}]({file})")), "{file} is not in the index");
        let source = read(&format!("examples/cookbook/{file}"));
        assert!(source.contains(&format!("`cargo run --example cookbook_{name}` prints")), "{file}");
    }
    assert_eq!(count, NAMES.len());
}

/// What the program's head says that it prints: its blocks of text, the first one without further settings.
fn heads(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/cookbook/{name}.rs"));
    let source = fs::read_to_string(&path).unwrap();
    let mut head = source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim_start());
    let mut blocks = Vec::new();
    while head.any(|line| line == "```text") {
        blocks.push(head.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect());
    }
    assert!(!blocks.is_empty(), "the head of {} has no block of ```text", path.display());
    blocks
}

/// What the program prints, with this `DATABASE_URL`, or none.
fn output(name: &str, database: Option<&str>) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    let test = format!("cookbook::programs::{name}");
    program.args(["--exact", &test, "--ignored", "--nocapture", "--test-threads=1"]);
    match database {
        Some(url) => program.env("DATABASE_URL", url),
        None => program.env_remove("DATABASE_URL"),
    };
    let ended = program.output().unwrap();
    let (printed, told) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{name}: {}\n{printed}\n{told}", ended.status);
    let (begin, end) = (format!("{BEGIN}\n"), format!("{END}\n"));
    let program = printed.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    program.unwrap_or_else(|| panic!("{name} did not come to its end:\n{printed}\n{told}")).0.to_owned()
}
