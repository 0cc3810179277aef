//! How the app is served: from the environment and the command line.

use std::fmt;
use std::path::{Path, PathBuf};

use log::LevelFilter;

use crate::config::{env_var, is_true};
use crate::server::{AccessLog, EngineKind};

/// How [`App::run_with`](crate::App::run_with) serves.
///
/// ```
/// # #[cfg(feature = "cli")] {
/// use dewar::RunOptions;
///
/// let options = RunOptions::parse(["--port", "8080", "--host=0.0.0.0"])?;
/// assert_eq!((options.host.as_str(), options.port), ("0.0.0.0", 8080));
///
/// let error = RunOptions::parse(["--port", "many"]).unwrap_err();
/// assert_eq!(error.to_string(), "--port takes a number from 0 to 65535, not \"many\"; --help lists the options");
/// # }
/// # Ok::<(), dewar::BadOption>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// The address to listen on: `127.0.0.1`. With `0.0.0.0`, other machines can reach it. `unix:/run/site.sock` is a
    /// Unix socket, which has no port.
    pub host: String,
    /// The port: 5000. 0 takes a free one.
    pub port: u16,
    /// How many requests may be in handlers at once; the engine's default unless said.
    pub workers: Option<usize>,
    /// What accepts and parses.
    pub engine: EngineKind,
    /// A file with the site's certificate, in PEM: what is served is `https://` then. Needs the feature `tls`.
    pub cert: Option<PathBuf>,
    /// A file with the certificate's private key, in PEM.
    pub key: Option<PathBuf>,
    /// Sets the app's `DEBUG`: for development, since error pages then show the error to whoever asks.
    pub debug: bool,
    /// From which level on the log is written, when the program has set no logger.
    pub log: LevelFilter,
    /// How a line of the access log looks; it is shown whatever the level of the log. `None` is
    /// [`AccessLog::Dev`](crate::server::AccessLog::Dev), shown with `log` at info. The command line's `--debug` shows it
    /// unless `DEWAR_LOG` says otherwise, and has `log` at debug.
    pub access_log: Option<AccessLog>,
    /// Builds the program and starts it again when its sources change; on the command line, as `debug` unless said. Unix
    /// only; elsewhere there is a warning.
    ///
    /// This process then holds the socket and starts another one, which serves, with the same arguments: whatever `main`
    /// does before, it does in both. Each second it looks at `Cargo.toml`, `build.rs`, `src`, all that the last build
    /// has read (a path dependency, a file by `include_str!`) and `extra_files`. On a change the server is stopped,
    /// cargo builds the same program with the same profile, and the server starts; clients wait meanwhile, and none is
    /// refused. What the compiler has to say is shown in the terminal, and when it fails in the browser, too. When the
    /// program itself was changed, by a build elsewhere, it is just started again.
    ///
    /// `DEWAR_RELOAD_COMMAND` is run by `sh` in place of `cargo build`: for features (`cargo build --features x`), or for
    /// another tool. cargo's `--features` are not known otherwise.
    pub reload: bool,
    /// More files and folders that `reload` looks at.
    pub extra_files: Vec<PathBuf>,
    /// What `reload` does not look at: whole paths, with `*`, `?` and `[…]`.
    pub exclude_patterns: Vec<String>,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            host: "127.0.0.1".into(),
            port: 5000,
            workers: None,
            engine: EngineKind::default(),
            cert: None,
            key: None,
            debug: false,
            log: LevelFilter::Warn,
            access_log: None,
            reload: false,
            extra_files: Vec::new(),
            exclude_patterns: Vec::new(),
        }
    }
}

/// Which options were said, where saying nothing is something else than saying the default.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) host: bool,
    pub(crate) port: bool,
    pub(crate) debug: bool,
    pub(crate) reload: bool,
    pub(crate) log: bool,
}

impl Said {
    pub(crate) fn add(&mut self, name: &str) {
        match name {
            "host" => self.host = true,
            "port" => self.port = true,
            "debug" => self.debug = true,
            "reload" => self.reload = true,
            "log" => self.log = true,
            _ => {}
        }
    }

    #[cfg(feature = "cli")]
    pub(crate) fn or(self, other: Said) -> Said {
        Said {
            host: self.host | other.host,
            port: self.port | other.port,
            debug: self.debug | other.debug,
            reload: self.reload | other.reload,
            log: self.log | other.log,
        }
    }
}

impl RunOptions {
    /// From `DEWAR_…` in the environment alone: `DEWAR_HOST`, `DEWAR_PORT`, `DEWAR_WORKERS`, `DEWAR_ENGINE`,
    /// `DEWAR_CERT`, `DEWAR_KEY`, `DEWAR_DEBUG`, `DEWAR_RELOAD`, `DEWAR_EXTRA_FILES`, `DEWAR_EXCLUDE_PATTERNS`,
    /// `DEWAR_ACCESS_LOG` and `DEWAR_LOG`. A variable that is empty counts as not set.
    ///
    /// # Errors
    /// When a value does not fit.
    pub fn from_env() -> Result<RunOptions, BadOption> {
        let (mut options, said) = RunOptions::from_env_said()?;
        options.follow_debug(said, options.debug);
        options.certificate()?;
        Ok(options)
    }

    pub(crate) fn from_env_said() -> Result<(RunOptions, Said), BadOption> {
        let (mut options, mut said) = (RunOptions::default(), Said::default());
        for (name, set) in SETTERS {
            let variable = format!("DEWAR_{}", name.replace('-', "_").to_uppercase());
            if let Some(value) = env_var(&variable).filter(|value| !value.is_empty()) {
                let value = match name {
                    // As Flask takes its FLASK_DEBUG.
                    "debug" => is_true(&value).to_string(),
                    _ => value,
                };
                set(&mut options, &value).map_err(|wanted| BadOption::value(&variable, &wanted, &value))?;
                said.add(name);
            }
        }
        Ok((options, said))
    }

    /// Sets an option as the command line calls it, or says what it takes.
    #[cfg(feature = "cli")]
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let (_, set) = SETTERS.iter().find(|(known, _)| *known == name).expect("each option has a setter");
        set(self, text)
    }

    /// What was not said is as debug mode would have it.
    pub(crate) fn follow_debug(&mut self, said: Said, debug: bool) {
        if !said.reload {
            self.reload = debug;
        }
        if !said.log && debug {
            self.log = LevelFilter::Debug;
            self.access_log.get_or_insert(AccessLog::Dev);
        }
    }

    /// Where the configuration's `SERVER_NAME` says that the site is, unless something else was said (as Flask's
    /// `app.run()`).
    pub(crate) fn follow_server_name(&mut self, name: Option<&str>, said: Said) {
        let Some(name) = name else { return };
        let (host, port) = match name.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => (host, port.parse().ok()),
            _ => (name, None),
        };
        if !said.host && !host.is_empty() {
            self.host = host.trim_matches(['[', ']']).to_owned();
        }
        if let (false, Some(port)) = (said.port, port) {
            self.port = port;
        }
    }

    /// The files to serve HTTPS with, if it is to be that.
    ///
    /// # Errors
    /// When one of them is missing, or this build knows no TLS.
    pub(crate) fn certificate(&self) -> Result<Option<(&Path, &Path)>, BadOption> {
        let missing = |given: &str, other: &str| {
            let variable = other.to_uppercase();
            BadOption(format!(
                "--{given} needs --{other}, too (or DEWAR_{variable}): https takes a certificate and its key"
            ))
        };
        match (&self.cert, &self.key) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing("cert", "key")),
            (None, Some(_)) => Err(missing("key", "cert")),
            (Some(cert), Some(key)) if cfg!(feature = "tls") => Ok(Some((cert, key))),
            _ => Err(BadOption("--cert and --key need a build of dewar with its feature tls".to_owned())),
        }
    }

    /// The path of the Unix socket, if it is to be one.
    pub(super) fn socket(&self) -> Option<&str> {
        self.host.strip_prefix("unix:")
    }

    /// `host:port`, with an IPv6 address in brackets.
    pub(super) fn address(&self) -> String {
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Sets an option from text, or says what it wants.
type Setter = fn(&mut RunOptions, &str) -> Result<(), String>;

const SETTERS: [(&str, Setter); 12] = [
    ("host", |options, text| {
        options.host = text.to_owned();
        Ok(())
    }),
    ("port", |options, text| {
        options.port = text.parse().map_err(|_| "a number from 0 to 65535".to_owned())?;
        Ok(())
    }),
    ("workers", |options, text| {
        let workers = text.parse().ok().filter(|n| *n > 0);
        options.workers = Some(workers.ok_or("a number from 1 on")?);
        Ok(())
    }),
    ("engine", |options, text| {
        options.engine = text.parse().map_err(|error| format!("an engine ({error})"))?;
        Ok(())
    }),
    ("cert", |options, text| {
        options.cert = Some(text).filter(|text| !text.is_empty()).map(PathBuf::from);
        Ok(())
    }),
    ("key", |options, text| {
        options.key = Some(text).filter(|text| !text.is_empty()).map(PathBuf::from);
        Ok(())
    }),
    ("debug", |options, text| {
        options.debug = yes_or_no(text)?;
        Ok(())
    }),
    ("reload", |options, text| {
        options.reload = yes_or_no(text)?;
        Ok(())
    }),
    ("extra-files", |options, text| {
        options.extra_files = std::env::split_paths(text).filter(|path| !path.as_os_str().is_empty()).collect();
        Ok(())
    }),
    ("exclude-patterns", |options, text| {
        let paths = std::env::split_paths(text).map(|path| path.to_string_lossy().into_owned());
        options.exclude_patterns = paths.filter(|pattern| !pattern.is_empty()).collect();
        Ok(())
    }),
    ("access-log", |options, text| {
        let format = text.parse::<AccessLog>().map_err(|error| format!("a format of the access log ({error})"))?;
        options.access_log = Some(format);
        Ok(())
    }),
    ("log", |options, text| {
        options.log = text.parse().map_err(|_| "off, error, warn, info, debug or trace".to_owned())?;
        Ok(())
    }),
];

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// An option that is none, or whose value does not fit.
#[derive(Debug, Clone)]
pub struct BadOption(pub(crate) String);

impl BadOption {
    pub(crate) fn value(name: &str, wanted: &str, got: &str) -> BadOption {
        BadOption(format!("{name} takes {wanted}, not {got:?}"))
    }
}

impl fmt::Display for BadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{HELP}", self.0)
    }
}

impl std::error::Error for BadOption {}

#[cfg(feature = "cli")]
const HELP: &str = "; --help lists the options";
#[cfg(not(feature = "cli"))]
const HELP: &str = "";
