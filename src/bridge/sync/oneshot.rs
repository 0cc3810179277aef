//! `oneshot`: one value, once, from anywhere.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::blocking;
use super::waiters::{Door, Wait, Waiters, Wakes, change, lock};

/// A value that is sent once, and awaited. `loop.create_future()`, with the side that sets it and the side that awaits it
/// apart.
///
/// ```
/// use dewar::bridge::{self, sync};
/// use std::thread;
///
/// let (sender, receiver) = sync::oneshot();
/// thread::spawn(move || sender.send("from a thread"));
/// assert_eq!(bridge::block_on(receiver)??, "from a thread");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { value: None, sent: false, closed: false, receiver: Waiters::new(), senders: Waiters::new() };
    let shared = Arc::new(Mutex::new(state));
    (Sender(Arc::clone(&shared)), Receiver(Wait::new(Arrival(shared))))
}

struct State<T> {
    value: Option<T>,
    /// The sender is gone, with or without having sent.
    sent: bool,
    /// The receiver takes nothing any more.
    closed: bool,
    /// The receiver, when it waits.
    receiver: Waiters,
    /// Who waits for the receiver to close.
    senders: Waiters,
}

impl<T> State<T> {
    /// What the receiver gets, if that is certain.
    fn outcome(&mut self) -> Option<Result<T, Dropped>> {
        match self.value.take() {
            Some(value) => Some(Ok(value)),
            None => (self.sent || self.closed).then_some(Err(Dropped)),
        }
    }
}

/// In front of the value.
struct Arrival<T>(Arc<Mutex<State<T>>>);

impl<T> Door for Arrival<T> {
    type State = State<T>;
    type Pass = Result<T, Dropped>;

    fn state(&self) -> &Mutex<State<T>> {
        &self.0
    }

    fn line<'s>(&self, state: &'s mut State<T>) -> &'s mut Waiters {
        &mut state.receiver
    }

    fn enter(&self, state: &mut State<T>) -> Option<Result<T, Dropped>> {
        state.outcome()
    }

    fn called(&self, state: &mut State<T>) -> Result<T, Dropped> {
        // `try_recv` may have taken the value in between.
        state.outcome().unwrap_or(Err(Dropped))
    }

    // The value stays where it is; there is one receiver.
    fn pass_on(&self, _: &mut State<T>, _: &mut Wakes) {}
}

/// In front of the closing of the receiver.
struct Closing<'a, T>(&'a Mutex<State<T>>);

impl<T> Door for Closing<'_, T> {
    type State = State<T>;
    type Pass = ();

    fn state(&self) -> &Mutex<State<T>> {
        self.0
    }

    fn line<'s>(&self, state: &'s mut State<T>) -> &'s mut Waiters {
        &mut state.senders
    }

    fn enter(&self, state: &mut State<T>) -> Option<()> {
        state.closed.then_some(())
    }

    fn called(&self, _: &mut State<T>) {}

    // All who waited were called; there is nothing to hand on.
    fn pass_on(&self, _: &mut State<T>, _: &mut Wakes) {}
}

/// The side of a [`oneshot`] that sets the value. Dropped without sending, it tells the receiver so.
#[must_use = "dropped, it sends `Dropped`"]
pub struct Sender<T>(Arc<Mutex<State<T>>>);

impl<T> Sender<T> {
    /// Sends the value, without waiting. `future.set_result`; for an exception, send a `Result`.
    ///
    /// # Errors
    ///
    /// The value, if the receiver was dropped or closed. (Otherwise it may still be dropped before it looks.)
    pub fn send(self, value: T) -> Result<(), T> {
        change(&self.0, |state, wakes| {
            if state.closed {
                return Err(value);
            }
            state.value = Some(value);
            state.sent = true;
            state.receiver.call_all(wakes);
            Ok(())
        })
    }

    /// Whether the receiver takes nothing any more: it was dropped or closed. `future.cancelled()`.
    ///
    /// ```
    /// use dewar::bridge::sync;
    ///
    /// let (sender, mut receiver) = sync::oneshot::<u8>();
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// assert_eq!(sender.send(1), Err(1)); // nobody will look
    /// ```
    pub fn is_closed(&self) -> bool {
        lock(&self.0).closed
    }

    /// Waits until the receiver takes nothing any more, to give up work that nobody needs.
    ///
    /// ```
    /// use dewar::bridge::{self, sync};
    ///
    /// let (sender, receiver) = sync::oneshot::<String>();
    /// drop(receiver);
    /// bridge::block_on(sender.closed())?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for anybody else.
    pub async fn closed(&self) {
        Wait::new(Closing(&self.0)).await;
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        change(&self.0, |state, wakes| {
            state.sent = true;
            state.receiver.call_all(wakes);
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// The side of a [`oneshot`] that awaits the value: a future of it. Dropped, it tells the sender so.
///
/// # Errors
///
/// [`Dropped`] if the sender was dropped without sending, or the receiver closed before it sent; and when it is polled
/// again after it has given its value out.
///
/// # Cancel safety
///
/// Lent out (`timeout(limit, &mut receiver)`), a wait that is dropped loses nothing: the value stays for the next one.
#[must_use = "futures do nothing unless awaited"]
pub struct Receiver<T>(Wait<Arrival<T>>);

impl<T> Receiver<T> {
    /// The value, if it is there.
    ///
    /// ```
    /// use dewar::bridge::sync::{TryRecvError, oneshot};
    ///
    /// let (sender, mut receiver) = oneshot();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(7).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if it may still come, [`TryRecvError::Dropped`] if not, also after it was given out.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.0.try_now() {
            Some(outcome) => outcome.map_err(|Dropped| TryRecvError::Dropped),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the value on this thread.
    ///
    /// ```
    /// use dewar::bridge::{self, sync};
    ///
    /// let (sender, receiver) = sync::oneshot();
    /// bridge::spawn_shared(async move { sender.send(7) });
    /// assert_eq!(receiver.blocking_recv(), Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Dropped`] if the sender was dropped without sending.
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_recv(mut self) -> Result<T, Dropped> {
        blocking::wait(&mut self.0, "Receiver::blocking_recv", "receiver.await")
    }

    /// Takes nothing any more: a send from now on fails. What was sent before can still be received. `future.cancel()`.
    pub fn close(&mut self) {
        change(&self.0.door.0, |state, wakes| {
            state.closed = true;
            state.senders.call_all(wakes);
        });
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Dropped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Dropped>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let value = change(&self.0.door.0, |state, wakes| {
            state.closed = true;
            state.senders.call_all(wakes);
            mem::take(&mut state.value)
        });
        drop(value); // not under the lock
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = lock(&self.0.door.0).value.is_some();
        f.debug_struct("Receiver").field("arrived", &arrived).finish_non_exhaustive()
    }
}

/// There will be no value: the sender of a [`oneshot`] was dropped without sending one, or it was given out already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value will come: the sender was dropped without sending, or the value was taken already")
    }
}

impl Error for Dropped {}

/// Why [`Receiver::try_recv`] has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// It may still come.
    Empty,
    /// It will not come; see [`Dropped`].
    Dropped,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.write_str("nothing has been sent yet: await the receiver to wait for it"),
            TryRecvError::Dropped => Dropped.fmt(f),
        }
    }
}

impl Error for TryRecvError {}
