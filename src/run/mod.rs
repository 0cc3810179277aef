//! Serving an app: options, from code or the environment; a log that is seen; starting again when the code changes.

mod logger;
mod options;
#[cfg(unix)]
mod reload;

use std::io::Write;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "cli")]
pub(crate) use options::Said;
pub use options::{BadOption, RunOptions};

use crate::app::App;
use crate::error::{Error, Result};
use crate::server::{Addr, Server};
#[cfg(feature = "tls")]
use crate::server::{TlsConfig, TlsError};
use crate::service::Service;

impl App {
    /// Serves the app until Ctrl-C or SIGTERM: on 127.0.0.1:5000, unless `SERVER_NAME` or `DEWAR_HOST`, `DEWAR_PORT` and
    /// so on say otherwise: see [`RunOptions::from_env`]. With the feature `cli`, the program's arguments say more.
    ///
    /// # Errors
    /// Mistakes of the set-up, all of them with their lines; an option that does not fit; a port that is in use.
    #[cfg(not(feature = "cli"))]
    #[track_caller]
    pub fn run(self) -> Result<()> {
        let at = Location::caller();
        let taken = RunOptions::from_env_said().and_then(|(mut options, said)| {
            options.follow_server_name(self.config().get_str("SERVER_NAME"), said);
            options.follow_debug(said, options.debug || debug_in(&self));
            options.certificate()?;
            Ok(options)
        });
        serve(self, taken.map_err(|error| Error::located(error, at))?, at)
    }

    /// Serves the app as [`App::run`] does, with these options, and without a look at arguments and environment.
    ///
    /// # Errors
    /// As [`App::run`].
    #[track_caller]
    pub fn run_with(self, options: RunOptions) -> Result<()> {
        serve(self, options, Location::caller())
    }
}

/// Whether the app's configuration asks for debug mode.
pub(crate) fn debug_in(app: &App) -> bool {
    app.config().get("DEBUG").is_some_and(|value| value == true || value == 1)
}

/// A log that is seen, if the program has none.
pub(crate) fn log_for(options: &RunOptions) {
    logger::install(options);
    #[cfg(feature = "cli")]
    for complaint in crate::config::complaints() {
        log::warn!("{complaint}");
    }
}

/// What is wrong is the caller's to mend, at the line that starts the app.
pub(crate) fn serve(mut app: App, options: RunOptions, here: &'static Location<'static>) -> Result<()> {
    log_for(&options);
    if options.debug {
        app.config_mut().set("DEBUG", true);
    }
    #[cfg(unix)]
    if options.reload && !reload::is_child() {
        return reload::supervise(&options, here);
    }
    #[cfg(not(unix))]
    if options.reload {
        log::warn!("--reload works on Unix only: after a change, start the program again");
    }
    let service: Arc<dyn Service> = match app.into_service() {
        Ok(service) => Arc::new(service),
        #[cfg(unix)]
        Err(error) if reload::is_child() => Arc::new(reload::failed_setup(&error)),
        Err(error) => return Err(Error::located(error, here)),
    };
    #[cfg(unix)]
    reload::end_with_supervisor();
    let (server, scheme) = set_up(bind(&options, here)?, &options, here)?;
    let report = server.on_ready(move |addr| announce(addr, scheme)).serve(service)?;
    if report.cut > 0 {
        log::warn!("{} requests were cut at the end: their handlers took too long to finish", report.cut);
    }
    Ok(())
}

/// The server as the options want it, and the scheme that it speaks.
fn set_up(bound: Server, options: &RunOptions, here: &'static Location<'static>) -> Result<(Server, &'static str)> {
    let mut server = bound.engine(options.engine);
    if let Some(workers) = options.workers {
        server = server.max_workers(workers);
    }
    match options.certificate().map_err(|error| Error::located(error, here))? {
        None => Ok((server, "http")),
        Some((cert, key)) => Ok((encrypt(server, cert, key).map_err(|error| Error::located(error, here))?, "https")),
    }
}

/// The socket that was passed to this process, or a new one.
fn bind(options: &RunOptions, here: &'static Location<'static>) -> Result<Server> {
    if let Some(server) = Server::inherited().map_err(|error| Error::located(error, here))? {
        return Ok(server);
    }
    let bound = match options.socket() {
        #[cfg(unix)]
        Some(path) => Server::bind_unix(path),
        _ => Server::bind(options.address()),
    };
    bound.map_err(|error| Error::located(error, here))
}

#[cfg(feature = "tls")]
fn encrypt(server: Server, cert: &Path, key: &Path) -> std::result::Result<Server, TlsError> {
    Ok(server.tls(TlsConfig::from_pem_files(cert, key)?))
}

/// Refused before this.
#[cfg(not(feature = "tls"))]
fn encrypt(server: Server, _: &Path, _: &Path) -> std::result::Result<Server, BadOption> {
    Ok(server)
}

/// Tells people and scripts where it is.
fn announce(addr: &Addr, scheme: &str) {
    let line = match addr.tcp() {
        Some(addr) => format!("listening on {scheme}://{addr}\n"),
        None => format!("listening on {addr}\n"),
    };
    // In one piece: a script that reads along must not find half an address. (`eprintln!` writes piece by piece.)
    let _ = std::io::stderr().write_all(line.as_bytes());
}
