//! The process that serves.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, getpid, getppid, kill_process};

use super::build::Build;
use crate::server::Listener;

/// Says to a child that it is one, and whose: the number of its supervisor's process.
const MARK: &str = "DEWAR_RELOAD_SUPERVISOR";

/// Whether this process serves for a supervisor. One that was started by a child in turn is none.
pub(in crate::run) fn is_child() -> bool {
    supervisor().is_some_and(|pid| getppid() == Some(pid))
}

fn supervisor() -> Option<Pid> {
    std::env::var(MARK).ok()?.parse().ok().and_then(Pid::from_raw)
}

/// Ends this process when its supervisor has gone without a word, so that none is left behind.
pub(in crate::run) fn end_with_supervisor() {
    if !is_child() {
        return;
    }
    let watch = || {
        // Asked by its number: it may have gone before this thread begins, when somebody else is the parent already.
        while is_child() {
            std::thread::sleep(Duration::from_millis(500));
        }
        let _ = kill_process(getpid(), Signal::TERM);
    };
    // Without the thread, a child may be left; that is no reason not to serve.
    let _ = std::thread::Builder::new().name("dewar-supervisor".into()).spawn(watch);
}

/// A child that was started.
pub(super) struct Child(Mutex<std::process::Child>);

impl Child {
    /// Starts the program again, with the arguments of this process, and the socket.
    pub(super) fn start(listener: &Listener, build: &Build) -> io::Result<Child> {
        // A descriptor of its own, which the new process and no other may have.
        let passed = listener.try_clone()?;
        fcntl_setfd(passed.as_fd(), FdFlags::empty())?;
        let child = Command::new(build.program())
            .args(std::env::args_os().skip(1))
            .env(MARK, getpid().as_raw_nonzero().to_string())
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDS_FIRST_FD", passed.as_fd().as_raw_fd().to_string())
            .env_remove("LISTEN_PID")
            .stdin(Stdio::null())
            // A group of its own: Ctrl-C is for the supervisor, which asks the child to end. Two signals would cut what
            // is in flight.
            .process_group(0)
            .spawn();
        drop(passed);
        child.map(|child| Child(Mutex::new(child)))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.lock().try_wait().ok().flatten()
    }

    /// Asks it to end, waits for it, and ends it when it does not.
    pub(super) fn stop(self, grace: Duration) {
        let mut child = self.lock();
        let until = Instant::now() + grace;
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It is not waited for yet, so the number is its own.
            let _ = kill_process(pid, Signal::TERM);
        }
        while Instant::now() < until {
            if child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::process::Child> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
