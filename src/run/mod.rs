//! `app.run()`: options from the command line and the environment, a log that is seen, and the server.

mod logger;
mod options;

use std::io::Write;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

pub use options::{BadOption, RunOptions};

use crate::app::App;
use crate::error::{Error, Result};
use crate::server::{Addr, Server};
#[cfg(feature = "tls")]
use crate::server::{TlsConfig, TlsError};

impl App {
    /// Serves the app until Ctrl-C or SIGTERM: on 127.0.0.1:5000, unless the program's arguments (`--host`, `--port`,
    /// `--workers`, `--engine`, `--cert`, `--key`, `--debug`), or `DEWAR_HOST`, `DEWAR_PORT` and so on say otherwise; `--help`
    /// lists them. Programs with arguments of their own use [`App::run_with`] and [`RunOptions::from_env_and`].
    ///
    /// On Unix, `--host unix:/run/site.sock` serves on a Unix socket, for a proxy on the same machine. When systemd has
    /// passed a socket to this process (`LISTEN_FDS`: see [`Server::inherited`]) that one is served on, whatever host
    /// and port say.
    ///
    /// When the program has set no logger, warnings and errors are written to standard error; `DEWAR_LOG` says from
    /// which level on, and with `info` each request has a line, of the target `dewar::access`. One line
    /// `listening on http://HOST:PORT` (`https://` with `--cert` and `--key`), or `listening on unix:PATH`, is written
    /// there when requests are answered.
    ///
    /// # Errors
    /// Mistakes of the set-up, all of them with their lines; an option that is none; a port that is in use.
    #[track_caller]
    pub fn run(self) -> Result<()> {
        match RunOptions::from_env_and_args() {
            Ok(options) => self.run_with(options),
            Err(error) => Err(Error::located(error, Location::caller())),
        }
    }

    /// Serves the app as [`App::run`] does, with these options.
    ///
    /// # Errors
    /// As [`App::run`].
    #[track_caller]
    pub fn run_with(mut self, options: RunOptions) -> Result<()> {
        // What is wrong is the caller's to mend, at the line that starts the app.
        let here = Location::caller();
        logger::install(options.log);
        if options.debug {
            self.config_mut().set("DEBUG", true);
        }
        let service = self.into_service().map_err(|error| Error::located(error, here))?;
        let bound = bind(&options, here)?;
        let mut server = bound.engine(options.engine);
        if let Some(workers) = options.workers {
            server = server.max_workers(workers);
        }
        let mut scheme = "http";
        if let Some((cert, key)) = options.certificate().map_err(|error| Error::located(error, here))? {
            (server, scheme) = (encrypt(server, cert, key).map_err(|error| Error::located(error, here))?, "https");
        }
        let report = server.on_ready(move |addr| announce(addr, scheme)).serve(Arc::new(service))?;
        if report.cut > 0 {
            log::warn!("{} requests were cut at the end: their handlers took too long to finish", report.cut);
        }
        Ok(())
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
