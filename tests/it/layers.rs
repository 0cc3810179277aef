//! The house rules, held against the sources: which module may use which, and how old a compiler may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms by rank: a module may use those of its own rank or lower ones.
const RANKS: &[(u8, &[&str])] = &[
    (
        0,
        &[
            "error",
            "request",
            "response",
            "body",
            "cookie",
            "conditional",
            "service",
            "multidict",
            "form",
            "quiet",
            "upgrade",
            "cache_control",
            "content_security_policy",
            "etag",
            "float_repr",
            "header_set",
            "http_date",
            "json_provider",
            "range",
            "accept",
            "authorization",
            "header_parts",
            "secure_filename",
            "upload",
            "url_escapes",
            "urlencoded",
            "signing",
            "passwords",
            "random",
        ],
    ),
    (1, &["proto", "pool", "bridge"]),
    (
        2,
        &[
            "ctx",
            "config",
            "json",
            "respond",
            "extract",
            "middleware",
            "multipart",
            "routing",
            "session",
            "templates",
            "static_files",
            "websocket",
            "background",
            "signals",
        ],
    ),
    (3, &["app", "server"]),
    (4, &["globals", "run", "testing", "cli", "lib"]),
];

/// Who may touch the luggage, beside the bridge itself: one reads, two pack.
const LUGGAGE: &[&str] = &["globals/mod.rs", "app/dispatch.rs", "app/frozen.rs"];

fn rank(module: &str) -> Option<u8> {
    RANKS.iter().find(|(_, rooms)| rooms.contains(&module)).map(|(rank, _)| *rank)
}

/// Why `user` may not use `used`, if it may not.
fn objection(user: &str, used: &str) -> Option<String> {
    let (Some(here), Some(there)) = (rank(user), rank(used)) else {
        let stranger = if rank(user).is_none() { user } else { used };
        return Some(format!("`{stranger}` has no rank: give it one in tests/it/layers.rs, and in DESIGN"));
    };
    if user == used || user == "lib" {
        return None;
    }
    if there > here {
        return Some(format!("`{user}` (rank {here}) uses `{used}` (rank {there})"));
    }
    let wings = ["app", "server"];
    if wings.contains(&user) && wings.contains(&used) {
        return Some(format!("`{user}` uses `{used}`: the two wings never see each other"));
    }
    (user == "server" && there == 2).then(|| format!("`server` uses `{used}`: it knows words, machines and `Service`"))
}

/// The source without comments, text and characters in quotes.
fn code_only(source: &str) -> String {
    let (bytes, mut code, mut i) = (source.as_bytes(), String::new(), 0);
    while i < bytes.len() {
        let rest = &source[i..];
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with('"') {
            text_end(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            rest[2..].find('\'').map_or(rest.len(), |end| end + 3)
        } else {
            0
        };
        if skip > 0 {
            i += skip;
            continue;
        }
        let c = rest.chars().next().expect("there is a rest");
        code.push(c);
        i += c.len_utf8();
    }
    code
}

fn text_end(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The modules that a source names by `crate::…`: in imports, grouped ones too, and in paths. `$crate` in a macro is
/// code of whoever calls it.
fn modules_used(source: &str) -> BTreeSet<String> {
    let code = code_only(source);
    let mut used = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c == '$' || c == '_' || c.is_alphanumeric()) {
            continue;
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(group_heads(group)),
            None => used.extend(head(rest)),
        }
    }
    used
}

fn head(path: &str) -> Option<String> {
    let path = path.trim_start();
    let end = path.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(path.len());
    (end > 0).then(|| path[..end].to_owned())
}

/// The first names of `a::b, c, d::{e, f}}…`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut heads, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.extend(head(&group[start..i]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.extend(head(&group[start..i]));
                start = i + 1;
            }
            _ => {}
        }
    }
    heads
}

/// The sources below `src/`, as `app/mod.rs`.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, root: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("src is there") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                collect(&path, root, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).expect("below src").to_string_lossy().replace('\\', "/");
                into.push((name, fs::read_to_string(&path).expect("sources are text")));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 30, "src was not found");
    found
}

/// `app/mod.rs` is in the room `app`, `json.rs` in `json`.
fn room(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn uses(sources: &[(String, String)]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (file, source) in sources {
        uses.entry(room(file)).or_default().extend(modules_used(source));
    }
    uses
}

/// A circle among the rooms, if there is one.
fn circle(uses: &BTreeMap<&str, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        room: &str,
        uses: &BTreeMap<&str, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(at) = way.iter().position(|seen| seen == room) {
            way.drain(..at);
            way.push(room.to_owned());
            return true;
        }
        if done.contains(room) {
            return false;
        }
        way.push(room.to_owned());
        for next in uses.get(room).into_iter().flatten().filter(|next| *next != room) {
            if walk(next, uses, way, done) {
                return true;
            }
        }
        way.pop();
        done.insert(room.to_owned());
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    uses.keys().filter(|room| **room != "lib").any(|room| walk(room, uses, &mut way, &mut done)).then_some(way)
}

#[test]
fn no_room_uses_a_higher_one() {
    let sources = sources();
    let mut objections = Vec::new();
    for (file, source) in &sources {
        for used in modules_used(source) {
            let why = objection(room(file), &used);
            objections.extend(why.map(|why| format!("src/{file}: {why}")));
        }
    }
    assert!(objections.is_empty(), "{objections:#?}");
}

#[test]
fn no_circles() {
    assert_eq!(circle(&uses(&sources())), None);
}

#[test]
fn the_luggage_is_touched_at_the_edges_only() {
    for (file, source) in sources() {
        let touches = code_only(&source).contains("luggage");
        assert!(!touches || file.starts_with("bridge/") || LUGGAGE.contains(&&*file), "src/{file} touches the luggage");
    }
}

#[test]
fn the_rules_can_be_broken() {
    let made_up = "//! [`x`](crate::server::X)\nuse crate::{app::{App, Blueprint}, json::Json, ctx};\nuse crate::globals;\n\
                   fn f() { crate::templates::render(\"crate::cli\"); /* crate::run */ $crate::testing::x(); '\"' }\n\
                   pub(in crate::pool) fn g() {} fn h(c: char) -> bool { c == '\\'' || mycrate::server::x() }";
    let used = modules_used(made_up);
    assert_eq!(
        used.iter().map(String::as_str).collect::<Vec<_>>(),
        ["app", "ctx", "globals", "json", "pool", "templates"]
    );

    for (user, used, allowed) in [
        ("json", "error", true),
        ("json", "respond", true),
        ("json", "app", false),
        ("error", "response", true),
        ("request", "bridge", false),
        ("bridge", "ctx", false),
        ("app", "server", false),
        ("server", "app", false),
        ("server", "ctx", false),
        ("server", "service", true),
        ("server", "pool", true),
        ("app", "templates", true),
        ("globals", "app", true),
        ("app", "globals", false),
        ("ctx", "Request", false), // re-exports have no rank
        ("newcomer", "error", false),
        ("lib", "app", true),
    ] {
        assert_eq!(objection(user, used).is_none(), allowed, "{user} uses {used}");
    }

    let source = |file: &str, text: &str| (file.to_owned(), text.to_owned());
    let round = [
        source("error.rs", "use crate::body::Body;"),
        source("body.rs", "use crate::response;"),
        source("response/mod.rs", ""),
        source("response/parts.rs", "fn f() { crate::error::x() }"),
    ];
    assert_eq!(circle(&uses(&round)).unwrap().len(), 4);
    assert_eq!(circle(&uses(&round[..3])), None);
}

/// The manifest's `rust-version` holds for what it depends on, too.
#[test]
fn dependencies_build_with_the_oldest_compiler() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--offline", "--locked", "--all-features"]);
    // What other platforms need may not be here.
    cargo.args(["--filter-platform", &host()]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let version = |text: &str| -> Vec<u64> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    let packages = metadata["packages"].as_array().expect("there are packages");
    let own =
        packages.iter().find(|p| p["name"] == "dewar").and_then(|p| p["rust_version"].as_str()).expect("it is set");
    let shipped = shipped(&metadata);
    assert!(shipped.len() > 20, "the dependencies were not found: {shipped:?}");
    for package in packages.iter().filter(|p| shipped.contains(p["id"].as_str().unwrap_or(""))) {
        if let Some(wanted) = package["rust_version"].as_str() {
            assert!(version(wanted) <= version(own), "{} wants Rust {wanted}, but we say {own}", package["name"]);
        }
    }
}

fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&version.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

/// The packages that a build of the crate itself has: none that only tests need.
fn shipped(metadata: &serde_json::Value) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("dependencies are resolved");
    let mut open = vec![metadata["resolve"]["root"].as_str().expect("there is a root").to_owned()];
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == *id).expect("each package has a node");
        for dependency in node["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            if kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev")) {
                open.push(dependency["pkg"].as_str().expect("packages have names").to_owned());
            }
        }
    }
    found
}
