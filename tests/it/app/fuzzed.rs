//! What the fuzzers begin with holds without them, too.

use std::fs;
use std::path::Path;

#[cfg(feature = "multipart")]
mod form;
mod headers;

fn seeds(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    // The published package has no fuzzers.
    let Ok(files) = fs::read_dir(folder) else { return };
    let seeds: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert!(seeds.len() >= 5, "{seeds:?}");
    for seed in seeds {
        target(&fs::read(&seed).unwrap());
    }
}

#[cfg(feature = "multipart")]
#[test]
fn forms() {
    seeds("form", form::form);
}

#[test]
fn headers_and_what_is_made_of_them() {
    seeds("headers", headers::headers);
}
