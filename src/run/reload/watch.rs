//! What changed since the last look.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::build::Build;
use crate::run::RunOptions;

/// Files that are looked at, at most: a folder that was named by mistake shall not keep the machine busy.
const MOST: usize = 20_000;
/// Folders in folders.
const DEEPEST: usize = 32;

/// A file as it was: when it was changed, and its length.
type Stamp = (Option<SystemTime>, u64);

pub(super) struct Watch {
    program: PathBuf,
    roots: Vec<PathBuf>,
    dep_info: PathBuf,
    /// What the last build has read, as its list says.
    read: (Option<Stamp>, Vec<PathBuf>),
    exclude: Vec<String>,
    seen: BTreeMap<PathBuf, Stamp>,
    program_seen: Option<Stamp>,
}

/// What has changed.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// Whether the program must be built; if not, it was.
    pub(super) rebuilds: bool,
}

impl Watch {
    pub(super) fn new(build: &Build, options: &RunOptions) -> Watch {
        let package = build.package().into_iter();
        let own =
            package.flat_map(|folder| ["Cargo.toml", "Cargo.lock", "build.rs", "src"].map(|name| folder.join(name)));
        let mut watch = Watch {
            program: build.program().to_owned(),
            roots: own.chain(options.extra_files.iter().cloned()).collect(),
            dep_info: build.dep_info(),
            read: Default::default(),
            exclude: options.exclude_patterns.clone(),
            seen: BTreeMap::new(),
            program_seen: None,
        };
        watch.built();
        watch
    }

    /// After a build: what it has written itself is no change, nor is a file that it has read for the first time. One
    /// that was changed while it was read is, and is found at the next look.
    pub(super) fn built(&mut self) {
        self.program_seen = stamp(&self.program);
        let now = self.look();
        self.seen.retain(|path, _| now.contains_key(path));
        for (path, stamp) in now {
            if path.ends_with("Cargo.lock") {
                self.seen.insert(path, stamp);
            } else {
                self.seen.entry(path).or_insert(stamp);
            }
        }
    }

    /// The first change since the last look, which it is part of from now on.
    pub(super) fn changed(&mut self) -> Option<Change> {
        let now = self.look();
        let other = |(path, stamp): (&PathBuf, &Stamp)| (self.seen.get(path) != Some(stamp)).then(|| path.clone());
        let changed =
            now.iter().find_map(other).or_else(|| self.seen.keys().find(|path| !now.contains_key(*path)).cloned());
        self.seen = now;
        if let Some(path) = changed {
            return Some(Change { path, rebuilds: true });
        }
        // While it is being written it may not be there.
        let program = stamp(&self.program).filter(|stamp| self.program_seen != Some(*stamp))?;
        self.program_seen = Some(program);
        Some(Change { path: self.program.clone(), rebuilds: false })
    }

    fn look(&mut self) -> BTreeMap<PathBuf, Stamp> {
        let listed = stamp(&self.dep_info);
        if listed != self.read.0 {
            let text = fs::read_to_string(&self.dep_info).unwrap_or_default();
            self.read = (listed, sources_in(&text));
        }
        let mut found = BTreeMap::new();
        for root in self.roots.iter().chain(&self.read.1) {
            self.walk(root, 0, &mut found);
        }
        found
    }

    fn walk(&self, path: &Path, depth: usize, found: &mut BTreeMap<PathBuf, Stamp>) {
        if found.len() >= MOST || depth > DEEPEST || self.is_excluded(path) {
            return;
        }
        let Ok(meta) = fs::metadata(path) else { return };
        if meta.is_file() {
            found.insert(path.to_owned(), (meta.modified().ok(), meta.len()));
        } else if let (true, Ok(entries)) = (meta.is_dir(), fs::read_dir(path)) {
            for entry in entries.flatten() {
                // Hidden ones are editors' and version control's, `target` is cargo's.
                let name = entry.file_name();
                let skipped = name.as_encoded_bytes().starts_with(b".") || name == "target";
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                let leads_elsewhere = is_link && entry.path().is_dir();
                if !skipped && !leads_elsewhere {
                    self.walk(&entry.path(), depth + 1, found);
                }
            }
        }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        self.exclude.iter().any(|pattern| matches(pattern, &path))
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok(), meta.len()))
}

/// The sources in `program: source source …`, where a space in a name has a backslash before it.
fn sources_in(text: &str) -> Vec<PathBuf> {
    let line = text.lines().next().unwrap_or_default();
    let Some((_, list)) = line.split_once(": ") else { return Vec::new() };
    let (mut sources, mut name, mut chars) = (Vec::new(), String::new(), list.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next_if_eq(&' ').is_some() => name.push(' '),
            ' ' => sources.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    sources.push(name);
    sources.into_iter().filter(|name| !name.is_empty()).map(PathBuf::from).collect()
}

/// As a shell's pattern, of the whole text, but that `*` goes over slashes (Python's `fnmatch`, which Flask uses).
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and how far into the text it reaches: only that one is ever tried again.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        match text.get(t).and_then(|c| one(&pattern[p..], *c)) {
            Some(taken) => (p, t) = (p + taken, t + 1),
            None => match star {
                Some((at, reach)) if reach < text.len() => {
                    star = Some((at, reach + 1));
                    (p, t) = (at + 1, reach + 1);
                }
                _ => return false,
            },
        }
    }
}

/// How many characters of the pattern stand for this one, if they do.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let start = 1 + usize::from(negated);
            // A bracket that comes first is one of the characters.
            let end = (start + 1..pattern.len()).find(|at| pattern[*at] == ']');
            let Some(end) = end else { return (c == '[').then_some(1) };
            let (mut at, mut within) = (start, false);
            while at < end {
                if at + 2 < end && pattern[at + 1] == '-' {
                    within |= (pattern[at]..=pattern[at + 2]).contains(&c);
                    at += 3;
                } else {
                    within |= pattern[at] == c;
                    at += 1;
                }
            }
            (within != negated).then_some(end + 1)
        }
        other => (*other == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_pythons() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("*", "", true),
            ("*", "a/b", true),
            ("*/fixtures/*", "/src/fixtures/a.rs", true),
            ("*/fixtures/*", "/src/fixture/a.rs", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.rs", "a.rs.bak", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[ab", "[ab", true),
            ("[-a]", "-", true),
            ("abc", "ab", false),
            ("ab", "abc", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern:?} of {text:?}");
        }
        // Many stars take no longer than their product.
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)));
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &"a".repeat(2000)));
    }

    #[test]
    fn sources_are_listed() {
        let found = sources_in("/t/debug/shop: /s/a.rs /s/b\\ c.rs\n");
        assert_eq!(found, [PathBuf::from("/s/a.rs"), PathBuf::from("/s/b c.rs")]);
        assert!(sources_in("").is_empty() && sources_in("x:").is_empty());
    }
}
