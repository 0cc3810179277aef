//! Signals: who is interested is told when something happens, without whom it happens to knowing (Flask's, by blinker).
//!
//! A signal belongs to the whole process. A receiver hears of every app in it ([`Signal::connect`]), or of one
//! ([`Signal::connect_to`], blinker's `sender`); it is called on the thread on which it happens, in the order of the
//! connections, and must not change anything: hooks are for that. A signal that nobody is connected to costs one load of
//! an atomic number.
//!
//! ```
//! use dewar::{App, signals};
//! use std::sync::{Arc, Mutex};
//!
//! let service = App::new("demo").into_service()?;
//! let seen = Arc::new(Mutex::new(Vec::new()));
//!
//! let recorded = seen.clone();
//! let connection = signals::REQUEST_FINISHED.connect_to(service.site(), move |ctx, response| {
//!     recorded.lock().unwrap().push(format!("{} {}", ctx.request().path(), response.status().as_u16()));
//! });
//! dewar::TestClient::new(service).get("/nowhere");
//! assert_eq!(*seen.lock().unwrap(), ["/nowhere 404"]);
//! drop(connection); // from now on it hears nothing
//! # Ok::<(), dewar::Error>(())
//! ```
//!
//! Receivers are plain functions; one that needs async code calls [`bridge::block_on`](crate::bridge::block_on).
//! A receiver that panics is an error of what it was told of, as a hook's panic is.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::ctx::{Ctx, Site};
use crate::error::Error;
use crate::response::Response;

/// A context was made and put in place: of a request, or of [`AppService::app_context`](crate::AppService::app_context).
pub static APPCONTEXT_PUSHED: Signal<()> = Signal::new("appcontext_pushed");

/// A context is off its thread; it may live on where someone holds it.
pub static APPCONTEXT_POPPED: Signal<()> = Signal::new("appcontext_popped");

/// The teardown hooks of a context have run; with the error that nothing handled.
pub static APPCONTEXT_TEARING_DOWN: Signal<Option<Arc<Error>>> = Signal::new("appcontext_tearing_down");

/// A request's rule has been looked for, and its hooks and view are to run.
pub static REQUEST_STARTED: Signal<()> = Signal::new("request_started");

/// A response is ready, hooks and session included.
pub static REQUEST_FINISHED: Signal<Response> = Signal::new("request_finished");

/// A request's teardown hooks have run; with the error that nothing handled.
pub static REQUEST_TEARING_DOWN: Signal<Option<Arc<Error>>> = Signal::new("request_tearing_down");

/// No error handler took an error: it is logged, and becomes a 500. HTTP errors are none of these.
pub static GOT_REQUEST_EXCEPTION: Signal<Arc<Error>> = Signal::new("got_request_exception");

/// A template is about to be rendered.
#[cfg(feature = "templates")]
pub static BEFORE_RENDER_TEMPLATE: Signal<Rendering> = Signal::new("before_render_template");

/// A template was rendered: what tests look at, to see with which values a page was made.
///
/// ```
/// use dewar::{App, context, render, signals};
/// use std::sync::{Arc, Mutex};
///
/// let mut app = App::new("demo");
/// app.template("hello.html", "Hello, {{ name }}!");
/// app.get("/", || render("hello.html", context! { name => "ada" })).endpoint("index");
/// let service = app.into_service()?;
///
/// let names = Arc::new(Mutex::new(Vec::new()));
/// let recorded = names.clone();
/// let _connection = signals::TEMPLATE_RENDERED.connect_to(service.site(), move |_, rendered| {
///     recorded.lock().unwrap().push((rendered.template.clone(), rendered.values.get_attr("name").unwrap().to_string()));
/// });
/// dewar::TestClient::new(service).get("/");
/// assert_eq!(*names.lock().unwrap(), [("hello.html".to_owned(), "ada".to_owned())]);
/// # Ok::<(), dewar::Error>(())
/// ```
#[cfg(feature = "templates")]
pub static TEMPLATE_RENDERED: Signal<Rendering> = Signal::new("template_rendered");

/// A message was flashed.
#[cfg(feature = "sessions")]
pub static MESSAGE_FLASHED: Signal<Flashing> = Signal::new("message_flashed");

/// What is told of a template.
#[cfg(feature = "templates")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rendering {
    /// Its name; `<string>` for one given as text.
    pub template: String,
    /// The values that it was given.
    pub values: minijinja::Value,
}

#[cfg(feature = "templates")]
impl Rendering {
    pub(crate) fn new(template: &str, values: &minijinja::Value) -> Rendering {
        Rendering { template: template.to_owned(), values: values.clone() }
    }
}

/// What is told of a flashed message.
#[cfg(feature = "sessions")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Flashing {
    /// The message.
    pub message: String,
    /// Whether it is HTML, a `Markup`.
    pub markup: bool,
    /// Its category.
    pub category: String,
}

/// Something that happens, of which receivers are told: the framework's own are the statics of this module, an
/// extension's are statics too.
///
/// ```
/// use dewar::signals::Signal;
///
/// /// An order was paid; with its number.
/// pub static ORDER_PAID: Signal<u64> = Signal::new("order_paid");
/// ```
pub struct Signal<T: ?Sized + 'static> {
    name: &'static str,
    /// The number of receivers, so that a signal without any takes no lock.
    connected: AtomicUsize,
    receivers: Mutex<Receivers<T>>,
}

struct Receivers<T: ?Sized> {
    next: u64,
    all: Vec<Arc<Receiver<T>>>,
}

struct Receiver<T: ?Sized> {
    id: u64,
    /// The only app that it hears of. Held weakly: a receiver keeps no app alive.
    sender: Option<Weak<Site>>,
    run: Run<T>,
}

type Run<T> = Box<dyn Fn(&Arc<Ctx>, &T) + Send + Sync>;

impl<T: ?Sized> Signal<T> {
    /// A signal of this name, for a `static`.
    pub const fn new(name: &'static str) -> Signal<T> {
        Signal { name, connected: AtomicUsize::new(0), receivers: Mutex::new(Receivers { next: 0, all: Vec::new() }) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Has `receiver` called whenever it happens in any app, until the connection is dropped.
    pub fn connect(&'static self, receiver: impl Fn(&Arc<Ctx>, &T) + Send + Sync + 'static) -> Connection {
        self.add(None, Box::new(receiver))
    }

    /// Has `receiver` called whenever it happens in this app, until the connection is dropped. An app is known by what
    /// its requests see of it: [`AppService::site`](crate::AppService::site), [`current_app`](crate::current_app).
    pub fn connect_to(
        &'static self,
        app: &Arc<Site>,
        receiver: impl Fn(&Arc<Ctx>, &T) + Send + Sync + 'static,
    ) -> Connection {
        self.add(Some(Arc::downgrade(app)), Box::new(receiver))
    }

    fn add(&'static self, sender: Option<Weak<Site>>, run: Run<T>) -> Connection {
        let mut receivers = self.lock();
        let id = receivers.next;
        receivers.next += 1;
        receivers.all.push(Arc::new(Receiver { id, sender, run }));
        self.connected.store(receivers.all.len(), Ordering::Release);
        drop(receivers);
        Connection { disconnect: Some(Box::new(move || self.remove(id))), signal: self.name }
    }

    fn remove(&self, id: u64) {
        let mut receivers = self.lock();
        let at = receivers.all.iter().position(|receiver| receiver.id == id);
        let removed = at.map(|at| receivers.all.remove(at));
        self.connected.store(receivers.all.len(), Ordering::Release);
        drop(receivers);
        drop(removed); // a closure of the user's: its destructor may use signals
    }

    fn lock(&self) -> MutexGuard<'_, Receivers<T>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody is connected: for a sender to whom making the message costs something.
    #[inline]
    pub fn has_receivers(&self) -> bool {
        self.connected.load(Ordering::Acquire) != 0
    }

    /// Tells the receivers. What connects meanwhile is not told of it; what disconnects may still be.
    #[inline]
    pub fn send(&self, ctx: &Arc<Ctx>, what: &T) {
        if self.has_receivers() {
            self.send_to_all(ctx, what);
        }
    }

    fn send_to_all(&self, ctx: &Arc<Ctx>, what: &T) {
        // Receivers may connect and disconnect, so they run without the lock.
        let receivers = self.lock().all.clone();
        for receiver in receivers {
            let heard = receiver.sender.as_ref().is_none_or(|app| std::ptr::eq(app.as_ptr(), Arc::as_ptr(ctx.site())));
            if heard {
                (receiver.run)(ctx, what);
            }
        }
    }
}

impl<T: ?Sized> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({})", self.name)
    }
}

/// A receiver's connection to a signal; it ends when this is dropped.
#[must_use = "the receiver hears nothing once the connection is dropped: keep it, or call `forever`"]
pub struct Connection {
    disconnect: Option<Box<dyn FnOnce() + Send + Sync>>,
    signal: &'static str,
}

impl Connection {
    /// Keeps the receiver connected until the process ends.
    pub fn forever(mut self) {
        self.disconnect = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(disconnect) = self.disconnect.take() {
            disconnect();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection(to {})", self.signal)
    }
}
