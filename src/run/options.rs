//! How the app is served: from the environment and the command line.

use std::fmt;
use std::path::{Path, PathBuf};

use log::LevelFilter;

use crate::server::EngineKind;

/// How [`App::run_with`](crate::App::run_with) serves.
///
/// ```
/// use dewar::RunOptions;
///
/// let options = RunOptions::parse(["--port", "8080", "--host=0.0.0.0"])?;
/// assert_eq!((options.host.as_str(), options.port), ("0.0.0.0", 8080));
///
/// let error = RunOptions::parse(["--port", "many"]).unwrap_err();
/// assert_eq!(error.to_string(), "--port takes a number from 0 to 65535, not \"many\"; --help lists the options");
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
        }
    }
}

const USAGE: &str = "\
Serves this app.

  --host HOST      the address to listen on (127.0.0.1), or unix:PATH
  --port PORT      the port (5000)
  --workers MAX    how many requests may be in handlers at once
  --engine NAME    what accepts and parses: native or tiny_http
  --cert FILE      the site's certificate (PEM), to serve https
  --key FILE       the certificate's private key (PEM)
  --debug          show errors in their pages, read templates again when they change
  --help           this text

Each can be given in the environment too: DEWAR_HOST, DEWAR_PORT, DEWAR_WORKERS, DEWAR_ENGINE,
DEWAR_CERT, DEWAR_KEY, DEWAR_DEBUG=true; and DEWAR_LOG says what is logged: off, error, warn,
info (each request too), debug or trace. A socket that systemd passes (LISTEN_FDS) goes before
host and port.";

impl RunOptions {
    /// From `DEWAR_…` in the environment, and then from the program's arguments. `--help` prints the options and ends
    /// the program.
    ///
    /// # Errors
    /// When one of them is not an option, or its value does not fit.
    pub fn from_env_and_args() -> Result<RunOptions, BadOption> {
        RunOptions::from_env_and(std::env::args().skip(1))
    }

    /// From `DEWAR_…` in the environment, and then from these arguments: for a program that has taken those of its own
    /// out. `--help` prints the options and ends the program.
    ///
    /// ```
    /// use dewar::RunOptions;
    ///
    /// let (own, others): (Vec<_>, Vec<_>) = ["--verbose", "--port=8080"].into_iter().partition(|arg| *arg == "--verbose");
    /// assert_eq!(RunOptions::from_env_and(others)?.port, 8080);
    /// assert_eq!(own.len(), 1);
    /// # Ok::<(), dewar::BadOption>(())
    /// ```
    ///
    /// # Errors
    /// When one of them is not an option, or its value does not fit.
    pub fn from_env_and<I>(args: I) -> Result<RunOptions, BadOption>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut options = RunOptions::default();
        for (name, set) in SETTERS {
            let variable = format!("DEWAR_{}", name.to_uppercase());
            if let Ok(value) = std::env::var(&variable) {
                set(&mut options, &value).map_err(|wanted| BadOption::value(&variable, wanted, &value))?;
            }
        }
        options.take(args.into_iter().map(Into::into))?;
        options.certificate()?;
        Ok(options)
    }

    /// From arguments as on the command line.
    ///
    /// # Errors
    /// When one of them is not an option, or its value does not fit.
    pub fn parse<I>(args: I) -> Result<RunOptions, BadOption>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut options = RunOptions::default();
        options.take(args.into_iter().map(Into::into))?;
        options.certificate()?;
        Ok(options)
    }

    fn take(&mut self, mut args: impl Iterator<Item = String>) -> Result<(), BadOption> {
        while let Some(arg) = args.next() {
            if arg == "--help" || arg == "-h" {
                println!("{USAGE}");
                std::process::exit(0);
            }
            let (flag, value) = match arg.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            let setter = SETTERS.iter().find(|(name, _)| *name != "log" && flag.strip_prefix("--") == Some(name));
            let Some((_, set)) = setter else { return Err(BadOption(format!("there is no option {flag}"))) };
            let value = value.or_else(|| if flag == "--debug" { Some("true".into()) } else { args.next() });
            let value = value.ok_or_else(|| BadOption(format!("{flag} needs a value")))?;
            set(self, &value).map_err(|wanted| BadOption::value(&flag, wanted, &value))?;
        }
        Ok(())
    }

    /// The files to serve HTTPS with, if it is to be that.
    ///
    /// # Errors
    /// When one of them is missing, or this build knows no TLS.
    pub(super) fn certificate(&self) -> Result<Option<(&Path, &Path)>, BadOption> {
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

const SETTERS: [(&str, Setter); 8] = [
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
        options.debug = match text {
            "true" | "1" => true,
            "false" | "0" | "" => false,
            _ => return Err("true or false".to_owned()),
        };
        Ok(())
    }),
    ("log", |options, text| {
        options.log = text.parse().map_err(|_| "off, error, warn, info, debug or trace".to_owned())?;
        Ok(())
    }),
];

/// An option that is none, or whose value does not fit.
#[derive(Debug, Clone)]
pub struct BadOption(String);

impl BadOption {
    fn value(name: &str, wanted: String, got: &str) -> BadOption {
        BadOption(format!("{name} takes {wanted}, not {got:?}"))
    }
}

impl fmt::Display for BadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; --help lists the options", self.0)
    }
}

impl std::error::Error for BadOption {}
