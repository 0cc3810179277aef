//! What rustc says of handlers that do not fit. A binary of its own: each case is a compilation.
//!
//! The texts are those of the rustc named here; other versions word and lay them out a little differently. They list
//! what would fit, so they are those of a build with all features.

const RUSTC: &str = "1.95.";

#[test]
fn messages() {
    if !cfg!(feature = "full") {
        eprintln!("skipped: the expected messages are those of a build with all features");
        return;
    }
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output().expect("rustc runs");
    if !String::from_utf8_lossy(&version.stdout).starts_with(&format!("rustc {RUSTC}")) {
        eprintln!("skipped: the expected messages are those of rustc {RUSTC}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
