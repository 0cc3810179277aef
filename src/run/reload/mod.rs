//! Starting again when the code changes.
//!
//! The process that the user started holds the socket and watches; another one, the child, serves. It is the same
//! program, told by a variable that it is the child, and has the socket by `LISTEN_FDS`, as from systemd. It is stopped
//! before a build and started after: what clients send meanwhile waits in the socket's queue. Only when there is
//! nothing to start does this process answer, with a page that says why.

mod build;
mod child;
mod page;
mod watch;

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{RunOptions, bind, set_up};
use crate::error::{Error, Result};
use crate::server::{Listener, Server, ServerHandle};

use build::Build;
use child::Child;
pub(super) use child::{end_with_supervisor, is_child};
pub(super) use page::failed_setup;
use watch::Watch;

/// Between two looks at the files.
const PACE: Duration = Duration::from_secs(1);
/// For requests in flight when the child is stopped; it has its own, longer deadline otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// Serves by a child until a signal ends it. Returns when it is over.
pub(super) fn supervise(options: &RunOptions, here: &'static Location<'static>) -> Result<()> {
    let located = |error: std::io::Error| Error::located(error, here);
    let bound = bind(options, here)?;
    let (listener, file) = bound.into_listener();
    let stopped = Stop::listen().map_err(located)?;
    let build = Build::find(&std::env::current_exe().map_err(located)?);
    eprintln!("{}", build.about());

    let mut watch = Watch::new(&build, options);
    let mut now = State::of(Child::start(&listener, &build), &listener, options, here)?;
    loop {
        if stopped.wait(PACE) {
            break;
        }
        let ended = if let State::Serving(child) = &now { child.ended() } else { None };
        match ended {
            None => {}
            // Nobody has stopped it: it is over, as when a handler calls `exit(0)`.
            Some(status) if status.success() => break,
            Some(status) => now = State::Showing(show(&listener, options, here, page::ended(status))?),
        }
        let Some(change) = watch.changed() else { continue };
        eprintln!("{} changed: starting again", change.path.display());
        now.end();
        now = match change.rebuilds.then(|| build.run(&stopped)) {
            Some(Err(said)) if !stopped.is_set() => {
                State::Showing(show(&listener, options, here, page::not_built(&said))?)
            }
            _ if stopped.is_set() => break,
            _ => State::of(Child::start(&listener, &build), &listener, options, here)?,
        };
        watch.built();
    }
    now.end();
    drop(file);
    Ok(())
}

/// Who answers.
enum State {
    Serving(Child),
    /// This process, with a page.
    Showing(ServerHandle),
    Nobody,
}

impl State {
    fn of(
        started: std::io::Result<Child>,
        listener: &Listener,
        options: &RunOptions,
        here: &'static Location<'static>,
    ) -> Result<State> {
        Ok(match started {
            Ok(child) => State::Serving(child),
            Err(error) => State::Showing(show(listener, options, here, page::not_started(&error))?),
        })
    }

    fn end(&mut self) {
        match std::mem::replace(self, State::Nobody) {
            State::Serving(child) => child.stop(GRACE),
            State::Showing(server) => drop(server.shutdown(Duration::from_secs(1))),
            State::Nobody => {}
        }
    }
}

/// Answers everything with a page, from this process.
fn show(
    listener: &Listener,
    options: &RunOptions,
    here: &'static Location<'static>,
    page: page::Page,
) -> Result<ServerHandle> {
    let located = |error: std::io::Error| Error::located(error, here);
    let server = Server::from_listener(listener.try_clone().map_err(located)?);
    let (server, _) = set_up(server, options, here)?;
    server.start(Arc::new(page)).map_err(located)
}

/// Whether a signal has asked for the end.
struct Stop {
    set: AtomicBool,
    changed: std::sync::Condvar,
    lock: std::sync::Mutex<()>,
}

impl Stop {
    fn listen() -> std::io::Result<Arc<Stop>> {
        let stop = Arc::new(Stop { set: false.into(), changed: Default::default(), lock: Default::default() });
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let told = Arc::clone(&stop);
        std::thread::Builder::new().name("dewar-reload".into()).spawn(move || {
            for signal in signals.forever() {
                if told.set.swap(true, Ordering::SeqCst) {
                    // The second one ends this process at once; the child sees that, and ends too.
                    std::process::exit(128 + signal);
                }
                let _held = told.lock.lock();
                told.changed.notify_all();
            }
        })?;
        Ok(stop)
    }

    fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Waits for the end, or for so long; whether it is the end.
    fn wait(&self, pace: Duration) -> bool {
        let held = self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(held, pace, |()| !self.is_set()));
        self.is_set()
    }
}
