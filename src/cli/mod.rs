//! The command line of the app's own program: serving, `routes`, and commands of one's own. Needs the feature `cli`.
//!
//! ```text
//! shop                         serves (as `shop run`)
//! shop run --debug             serves, shows errors in their pages, starts again when the code changes
//! shop routes --sort rule      lists the routes
//! shop import goods.csv        a command of the app's own: see `Scaffold::command`
//! ```
//!
//! [`App::run`] does all of this; [`App::cli`] is the same with more to say. Exit codes: 0 when all went well, 1 for an
//! error, 2 for a command line that is none, and what a command returns.

mod options;
mod routes;
mod runner;
mod tree;

use std::ffi::OsString;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;

pub use clap;
use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

use crate::app::{App, AppService};
pub use crate::app::{CommandMut, Invocation, Outcome};
use crate::config::load_env_file;
use crate::error::{Error, Result};
use crate::run::{BadOption, RunOptions, log_for, serve};
pub use runner::{CliResult, TestCliRunner};

impl App {
    /// Does what the program's command line says (Flask's `app.run()` and its command `flask` in one). Without a
    /// command, or with `run`, it serves until Ctrl-C or SIGTERM: on 127.0.0.1:5000, unless `SERVER_NAME` names another
    /// host or port, or `--host`, `--port` and so on, or `DEWAR_HOST`, `DEWAR_PORT` and so on say otherwise. `routes`
    /// lists the routes, and a name given to [`command`](crate::Scaffold::command) runs that; `--help` lists all there is.
    /// Programs with arguments of their own use [`App::run_with`] and [`RunOptions::from_env_and`].
    ///
    /// On Unix, `--host unix:/run/site.sock` serves on a Unix socket, for a proxy on the same machine. When systemd has
    /// passed a socket to this process (`LISTEN_FDS`: see [`Server::inherited`](crate::server::Server::inherited)) that
    /// one is served on, whatever host and port say.
    ///
    /// With `--debug`, unless there is `--no-reload`, the program is built and started again when its sources change, as
    /// [`RunOptions::reload`] says.
    ///
    /// When the program has set no logger, warnings and errors are written to standard error; `DEWAR_LOG` says from
    /// which level on, and with `info` each request has a line, of the target `dewar::access`. `--access-log` says how
    /// these lines look, and shows them whatever the level: see [`AccessLog`](crate::server::AccessLog). One line
    /// `listening on http://HOST:PORT` (`https://` with `--cert` and `--key`), or `listening on unix:PATH`, is written
    /// there when requests are answered.
    ///
    /// A command line that is none, and `--help`, end the program at once, with 2 and with 0.
    ///
    /// # Errors
    /// Mistakes of the set-up, all of them with their lines; a port that is in use; what a command returned.
    #[track_caller]
    pub fn run(self) -> Result<()> {
        self.cli().run()
    }

    /// The program's command line, to say more of before it [runs](Cli::run).
    ///
    /// ```no_run
    /// # fn main() -> dewar::Result<()> {
    /// let app = dewar::App::new("shop");
    /// app.cli().version(env!("CARGO_PKG_VERSION")).about("Sells things.").run()
    /// # }
    /// ```
    #[track_caller]
    pub fn cli(self) -> Cli {
        Cli { app: self, version: None, about: None, at: Location::caller() }
    }
}

impl AppService {
    /// Runs commands in tests, and gives what they write (Flask's `test_cli_runner`).
    pub fn test_cli_runner(&self) -> TestCliRunner {
        TestCliRunner::new(self.clone())
    }
}

/// An app's command line: made by [`App::cli`].
#[must_use = "nothing is done until `run`"]
pub struct Cli {
    app: App,
    version: Option<String>,
    about: Option<String>,
    at: &'static Location<'static>,
}

impl Cli {
    /// What `--version` tells beside Dewar's own: mostly `env!("CARGO_PKG_VERSION")`.
    pub fn version(mut self, version: impl Into<String>) -> Cli {
        self.version = Some(version.into());
        self
    }

    /// What the program is, in the first line of `--help`.
    pub fn about(mut self, about: impl Into<String>) -> Cli {
        self.about = Some(about.into());
        self
    }

    /// Does what the program's arguments say. See [`App::run`].
    ///
    /// # Errors
    /// As [`App::run`].
    pub fn run(self) -> Result<()> {
        self.run_from(std::env::args_os())
    }

    /// Does what these arguments say; the first one is the program's name.
    ///
    /// # Errors
    /// As [`App::run`].
    pub fn run_from<I>(self, args: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let Cli { mut app, version, about, at } = self;
        let listed = app.commands();
        let mut tree = tree::tree(app.name(), version.as_deref(), about.as_deref(), &listed);
        let matches = tree.try_get_matches_from_mut(args).unwrap_or_else(|error| error.exit());
        let mut bad = |what: String| -> ! { tree.error(ErrorKind::ValueValidation, what).exit() };
        for path in env_files(&matches) {
            if let Err(error) = load_env_file(&path) {
                bad(format!("--env-file: {error}"));
            }
        }
        let options = match options::resolve(&matches, &mut app) {
            Ok(options) => options,
            Err(BadOption(what)) => bad(what),
        };
        match matches.subcommand() {
            None | Some(("run", _)) => serve(app, options, at),
            Some(chosen) => {
                log_for(&options);
                if options.debug {
                    app.config_mut().set("DEBUG", true);
                }
                let service = app.into_service().map_err(|error| Error::located(error, at))?;
                let (_, outcome) = execute(&service, chosen, false);
                match outcome? {
                    0 => Ok(()),
                    code => std::process::exit(code.into()),
                }
            }
        }
    }
}

impl fmt::Debug for Cli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cli").field("app", &self.app).finish_non_exhaustive()
    }
}

fn env_files(matches: &ArgMatches) -> Vec<PathBuf> {
    let inner = matches.subcommand().and_then(|(name, inner)| (name == "run").then_some(inner));
    let files = [Some(matches), inner].into_iter().flatten();
    files.filter_map(|matches| matches.get_one::<String>("env-file")).map(PathBuf::from).collect()
}

/// Runs `routes` or a command of the app's own; what it wrote, if that is to be captured, and what it came to.
fn execute(service: &AppService, (name, matches): (&str, &ArgMatches), captured: bool) -> (String, Result<u8>) {
    let found = service.commands().iter().find_map(|listed| match &listed.group {
        None => (listed.def.clap.get_name() == name).then_some((listed, matches)),
        Some(group) => {
            let (inner, matches) = matches.subcommand().filter(|_| group == name)?;
            (listed.def.clap.get_name() == inner).then_some((listed, matches))
        }
    });
    let (listed, matches) = match found {
        Some((listed, matches)) => (Some(listed), matches),
        None => (None, matches),
    };
    let invocation = Invocation::new(matches.clone(), captured);
    let outcome = match listed {
        Some(listed) => service.app_context(|| listed.def.run(&invocation)),
        None => {
            routes::write(service, &invocation);
            Ok(0)
        }
    };
    (invocation.into_output(), outcome)
}

/// As the whole command line, but for tests: nothing is printed, and nothing served.
fn command_line(service: &AppService) -> Command {
    tree::tree(service.site().name(), None, None, service.commands())
}

pub(crate) use options::parse_serving;

impl RunOptions {
    /// From `DEWAR_…` in the environment, and then from the program's arguments. `--help` prints the options and ends
    /// the program. Needs the feature `cli`.
    ///
    /// # Errors
    /// When one of them is not an option, or its value does not fit.
    pub fn from_env_and_args() -> std::result::Result<RunOptions, BadOption> {
        RunOptions::from_env_and(std::env::args().skip(1))
    }

    /// From `DEWAR_…` in the environment, and then from these arguments: for a program that has taken those of its own
    /// out. `--help` prints the options and ends the program. Needs the feature `cli`.
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
    pub fn from_env_and<I>(args: I) -> std::result::Result<RunOptions, BadOption>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        parse_serving(args.into_iter().map(Into::into).collect(), true)
    }

    /// From arguments as on the command line. Needs the feature `cli`.
    ///
    /// # Errors
    /// When one of them is not an option, or its value does not fit.
    pub fn parse<I>(args: I) -> std::result::Result<RunOptions, BadOption>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        parse_serving(args.into_iter().map(Into::into).collect(), false)
    }
}
