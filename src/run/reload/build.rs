//! How the program is built again: found out from where it lies, as cargo puts it there.

use std::io::{IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::Stop;

/// A program, and the command that builds it.
#[derive(Debug)]
pub(super) struct Build {
    program: PathBuf,
    /// The folder of its `Cargo.toml`.
    package: Option<PathBuf>,
    command: Option<Vec<String>>,
}

impl Build {
    /// For the program at this path.
    pub(super) fn find(program: &Path) -> Build {
        let package = package_of(program);
        let own = std::env::var("DEWAR_RELOAD_COMMAND").ok().filter(|command| !command.is_empty());
        let command = match own {
            Some(command) => Some(vec!["sh".to_owned(), "-c".to_owned(), command]),
            None => package.as_ref().and_then(|package| cargo(program, package)),
        };
        Build { program: program.to_owned(), package, command }
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn package(&self) -> Option<&Path> {
        self.package.as_deref()
    }

    pub(super) fn about(&self) -> String {
        match &self.command {
            Some(command) if command[0] == "sh" => format!("when files change: {}", command[2]),
            Some(command) => format!("when files change: {}", command.join(" ")),
            None => format!("when {} changes, it is started again; cargo has not built it", self.program.display()),
        }
    }

    /// The file in which cargo lists what the program was built from.
    pub(super) fn dep_info(&self) -> PathBuf {
        self.program.with_extension("d")
    }

    /// Builds. What the compiler says goes to the terminal as it comes, and is given back when it fails.
    pub(super) fn run(&self, stop: &Stop) -> Result<(), Vec<u8>> {
        let Some([program, args @ ..]) = self.command.as_deref() else { return Ok(()) };
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own, so that what the build has started can be ended with it.
        command.process_group(0);
        if let Some(package) = &self.package {
            command.current_dir(package);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_of_cargo_run) {
                command.env_remove(name);
            }
        }
        if std::io::stderr().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(format!("{program} cannot be started: {error}").into_bytes()),
        };
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let mut said = child.stderr.take().expect("it is piped");
        let reader = std::thread::spawn(move || {
            let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(n @ 1..) = said.read(&mut buffer) {
                let _ = std::io::stderr().write_all(&buffer[..n]);
                all.extend_from_slice(&buffer[..n]);
                // The end is what is shown.
                let more = all.len().saturating_sub(1 << 20);
                all.drain(..more);
            }
            all
        });
        let status = loop {
            match child.try_wait() {
                Ok(None) => {}
                other => break other,
            }
            if stop.wait(Duration::from_millis(20)) {
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::TERM);
                }
                break child.wait().map(Some);
            }
        };
        let said = reader.join().unwrap_or_default();
        match status {
            Ok(Some(status)) if status.success() => Ok(()),
            _ => Err(said),
        }
    }
}

/// Whether `cargo run` sets this variable for what it runs. A build must not see it: crates whose build script depends on
/// one, such as ring, would be compiled anew, and with them all that use them, and once more at the next `cargo run`.
fn is_of_cargo_run(name: &str) -> bool {
    const BEGIN: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CFG_", "CARGO_FEATURE_"];
    const WHOLE: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    BEGIN.iter().any(|begin| name.starts_with(begin)) || WHOLE.contains(&name)
}

/// The folder with the `Cargo.toml` of the program: cargo says so to what it runs; otherwise it is the nearest one above
/// the program.
fn package_of(program: &Path) -> Option<PathBuf> {
    let said = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let above = || program.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file()).map(Path::to_owned);
    said.filter(|folder| folder.join("Cargo.toml").is_file()).or_else(above)
}

/// `target/[TRIPLE/]PROFILE/[examples/]NAME`.
fn cargo(program: &Path, package: &Path) -> Option<Vec<String>> {
    let name = program.file_stem()?.to_str()?;
    let mut folder = program.parent()?;
    let kind = if folder.ends_with("examples") {
        folder = folder.parent()?;
        "--example"
    } else {
        "--bin"
    };
    let profile = folder.file_name()?.to_str()?;
    let above = folder.parent()?;
    let is_target = |folder: &Path| folder.join("CACHEDIR.TAG").is_file();
    let (target, triple) = match is_target(above) {
        true => (above, None),
        false => (above.parent().filter(|folder| is_target(folder))?, above.file_name()?.to_str()),
    };
    let manifest = package.join("Cargo.toml");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command: Vec<String> = vec![cargo, "build".into(), kind.into(), name.into()];
    command.extend([
        "--manifest-path".into(),
        manifest.to_str()?.into(),
        "--target-dir".into(),
        target.to_str()?.into(),
    ]);
    match profile {
        "debug" => {}
        "release" => command.push("--release".into()),
        other => command.extend(["--profile".into(), other.into()]),
    }
    if let Some(triple) = triple {
        command.extend(["--target".into(), triple.into()]);
    }
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_how_to_build_is_kept() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_CRATE_NAME", "OUT_DIR"] {
            assert!(is_of_cargo_run(name), "{name}");
        }
        for name in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_PROFILE_DEV_DEBUG", "CARGO_NET_OFFLINE", "PATH"]
        {
            assert!(!is_of_cargo_run(name), "{name}");
        }
    }

    #[test]
    fn cargo_is_told_what_it_built() {
        let folder = std::env::temp_dir().join(format!("dewar-build-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("CACHEDIR.TAG"), "").unwrap();
        for (path, wanted) in [
            ("debug/shop", Some("build --bin shop")),
            ("release/examples/hello", Some("build --example hello --release")),
            ("bench/shop", Some("build --bin shop --profile bench")),
            ("x86_64-unknown-linux-musl/debug/shop", Some("build --bin shop --target x86_64-unknown-linux-musl")),
            ("a/b/c/shop", None),
        ] {
            let found = cargo(&folder.join(path), Path::new("/p")).map(|command| {
                let fixed = ["--manifest-path", "/p/Cargo.toml", "--target-dir", folder.to_str().unwrap()];
                command[1..].iter().filter(|arg| !fixed.contains(&arg.as_str())).cloned().collect::<Vec<_>>().join(" ")
            });
            assert_eq!(found.as_deref(), wanted, "{path}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
