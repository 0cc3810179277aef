//! SIGINT and SIGTERM: the first one asks for an end, the second one is one.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use once_cell::sync::OnceCell;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Those who wait for the next signal. When there are none, a signal ends the process, as it would have without us.
static WAITING: Mutex<Vec<SyncSender<()>>> = Mutex::new(Vec::new());
static THREAD: OnceCell<()> = OnceCell::new();

/// The next signal. A further one ends the process, with the status that shells give that: 130 or 143.
pub(super) struct NextSignal(Receiver<()>);

impl NextSignal {
    pub(super) fn listen() -> io::Result<NextSignal> {
        THREAD.get_or_try_init(|| {
            let signals = Signals::new([SIGINT, SIGTERM])?;
            std::thread::Builder::new().name("dewar-signals".into()).spawn(|| watch(signals)).map(drop)
        })?;
        let (sender, receiver) = sync_channel(1);
        WAITING.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Ok(NextSignal(receiver))
    }

    pub(super) fn wait(self) {
        // An error would mean that the thread is gone, which lives as long as the process.
        let _ = self.0.recv();
    }
}

fn watch(mut signals: Signals) {
    for signal in signals.forever() {
        let waiting = std::mem::take(&mut *WAITING.lock().unwrap_or_else(PoisonError::into_inner));
        // Those who have gone away meanwhile cannot be told.
        let told = waiting.into_iter().filter(|sender| sender.try_send(()).is_ok()).count();
        if told == 0 {
            std::process::exit(128 + signal);
        }
    }
}
