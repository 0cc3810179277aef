//! A template rendered while its page is sent.
//!
//! The engine renders in one go and cannot be stopped in between, so it has a thread of its own, which is started when
//! the page is first read. What it writes waits in a [`Pipe`]; when that is full, so does the thread. It ends with the page,
//! or with the next piece after the reader has gone away: it never outlives the body by more than what the template does
//! between two pieces. There are at most as many of them as pages being sent.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::body::Body;
use crate::error::Result;
use crate::quiet::discard_panic;

/// How many bytes wait for the reader before the template does.
const ENOUGH: usize = 16 * 1024;

/// Runs what it is given in the request's context.
pub(crate) type Within = Box<dyn FnOnce(&mut dyn FnMut()) + Send>;

/// The page that `render` writes.
pub(super) fn body(within: Within, render: impl FnOnce(Writer) -> Result<()> + Send + 'static) -> Body {
    Body::try_blocks(Pieces::NotBegun(within, Box::new(render)))
}

type Render = Box<dyn FnOnce(Writer) -> Result<()> + Send>;

enum Pieces {
    NotBegun(Within, Render),
    Begun(Reader),
    Ended,
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        if let Pieces::NotBegun(..) = self
            && let Pieces::NotBegun(within, render) = std::mem::replace(self, Pieces::Ended)
        {
            match begin(within, render) {
                Ok(reader) => *self = Pieces::Begun(reader),
                Err(error) => return Some(Err(error)),
            }
        }
        let Pieces::Begun(reader) = self else { return None };
        let piece = reader.0.next();
        if !matches!(piece, Some(Ok(_))) {
            *self = Pieces::Ended;
        }
        piece
    }
}

fn begin(within: Within, render: Render) -> io::Result<Reader> {
    let pipe = Arc::new(Pipe::default());
    let writer = Writer(pipe.clone());
    let work = move || {
        let writers = writer.0.clone();
        let mut render = Some((render, writer));
        let mut result = Ok(());
        let mut run = || {
            if let Some((render, writer)) = render.take() {
                result = render(writer);
            }
        };
        let ran = catch_unwind(AssertUnwindSafe(|| within(&mut run)));
        writers.end(match (ran, result) {
            (Ok(()), Ok(())) => None,
            (Ok(()), Err(error)) => Some(io::Error::other(format!("{error:#}"))),
            (Err(payload), _) => {
                discard_panic(payload);
                Some(io::Error::other("the rendering of a streamed template panicked"))
            }
        });
    };
    std::thread::Builder::new().name("dewar-template".into()).spawn(work)?;
    Ok(Reader(pipe))
}

/// What was written and not yet read.
#[derive(Default)]
struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    written: Vec<u8>,
    /// Whether the writer has ended; the error with which it did.
    ended: bool,
    error: Option<io::Error>,
    /// Whether the reader has gone away.
    gone: bool,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody's code runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(&'a self, state: MutexGuard<'a, State>, wait: impl Fn(&State) -> bool) -> MutexGuard<'a, State> {
        self.changed.wait_while(state, |state| wait(state)).unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, error: Option<io::Error>) {
        let mut state = self.lock();
        state.ended = true;
        state.error = error;
        drop(state);
        self.changed.notify_all();
    }

    /// All that is there, once there is something.
    fn next(&self) -> Option<io::Result<Bytes>> {
        let mut state = self.wait_while(self.lock(), |state| state.written.is_empty() && !state.ended);
        if !state.written.is_empty() {
            let piece = std::mem::take(&mut state.written);
            drop(state);
            self.changed.notify_all();
            return Some(Ok(piece.into()));
        }
        state.error.take().map(Err)
    }
}

struct Reader(Arc<Pipe>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.changed.notify_all();
    }
}

/// Where a streamed template is written to.
pub(super) struct Writer(Arc<Pipe>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.wait_while(self.0.lock(), |state| state.written.len() >= ENOUGH && !state.gone);
        if state.gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let first = state.written.is_empty();
        state.written.extend_from_slice(bytes);
        drop(state);
        if first && !bytes.is_empty() {
            self.0.changed.notify_all();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
