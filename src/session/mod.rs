//! Sessions, in a signed cookie of Flask's own format or where an interface keeps them, and the messages flashed in them.

mod cookie;
mod data;
mod flashes;
#[cfg(feature = "templates")]
pub(crate) mod in_templates;
mod interface;
mod memory;
mod save;
mod signer;
mod state;
mod tagged;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use cookie::SessionCookie;
pub use data::SessionData;
pub use flashes::{FlashMessage, Flashed};
pub(crate) use interface::Interface;
pub use interface::{SecureCookieSessionInterface, SessionInterface};
pub use memory::MemorySessions;
pub(crate) use save::save;
pub use signer::{BadSession, SessionSerializer};
pub use state::{NullSession, SessionState};
pub use tagged::Tagged;

use crate::config::SessionSettings;
use crate::ctx::Ctx;
use crate::error::{Error, Here, Result};
use crate::extract::FromRequest;
use crate::signals;

const PERMANENT: &str = "_permanent";
const FLASHES: &str = "_flashes";

/// The session of a visitor (Flask's `session`): values that come back with the visitor's next request, in a signed
/// cookie that a Flask app with the same `SECRET_KEY` reads and writes too.
///
/// It is a handle, from [`session()`](fn@crate::session) or as a handler's argument. The cookie is read when the session
/// is first asked something, and set after the after-request hooks, if the session was changed. One that was changed by
/// nobody with the key, is too old, or signed with another key is an empty session. Of two requests at the same time the
/// last one that answers wins.
///
/// **The visitor can read it**: it is signed, not encrypted. And browsers keep no more than some 4 KB.
///
/// The configuration's `SECRET_KEY` must be set, or else the session is empty and cannot be written to. The other keys are
/// in [`Config`](crate::Config)'s table. Sessions that are kept elsewhere: [`SessionInterface`], [`MemorySessions`].
///
/// ```
/// use dewar::{App, Form, Redirect, Result, Session, redirect};
///
/// #[derive(serde::Deserialize)]
/// struct Login { name: String }
///
/// fn login(session: Session, Form(login): Form<Login>) -> Result<Redirect> {
///     session.clear();
///     session.set("user", login.name)?;
///     Ok(redirect("/"))
/// }
///
/// fn index(session: Session) -> String {
///     session.get("user").unwrap_or("nobody".into())
/// }
///
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "long, random, and known to nobody else");
/// app.post("/login", login);
/// app.get("/", index);
///
/// let client = app.test_client();
/// assert_eq!(client.get("/").text(), "nobody");
/// let response = client.post("/login").form([("name", "ada")]).follow_redirects().send();
/// assert_eq!(response.text(), "ada");
/// ```
#[derive(Clone)]
pub struct Session(Arc<Ctx>);

/// What a request knows of its session.
struct Opened {
    /// Why it cannot be written to, if it cannot.
    null: Option<NullSession>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    state: SessionState,
    /// The messages, once they were taken out.
    flashes: Option<Vec<Flashed>>,
}

impl Opened {
    /// Has the interface open it.
    fn of(ctx: &Ctx) -> &Opened {
        let opened = ctx.session_slot().get_or_init(|| {
            let (state, null) = match Opened::open(ctx) {
                Ok(state) => (state, None),
                Err(null) => (SessionState::default(), Some(null)),
            };
            Box::new(Opened { null, inner: Mutex::new(Inner { state, flashes: None }) })
        });
        opened.downcast_ref().expect("only this room fills the slot")
    }

    fn open(ctx: &Ctx) -> Result<SessionState, NullSession> {
        let site = ctx.site();
        let interface = site.parts().get::<Interface>().ok_or_else(NullSession::default)?;
        match interface.0.open_session(site, ctx.request()) {
            Ok(opened) => opened.ok_or_else(|| interface.0.make_null_session(site)),
            Err(error) => {
                log::error!("the session could not be opened: {error:#}");
                Err(NullSession::new(format!("the session could not be opened: {error}")))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn settings(ctx: &Ctx) -> &SessionSettings {
    &ctx.site().settings().session
}

impl Session {
    /// The session of this context's request.
    pub fn of(ctx: &Arc<Ctx>) -> Session {
        Session(ctx.clone())
    }

    /// Everything that is asked goes through here, and makes the response depend on the cookie.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = Opened::of(&self.0).lock();
        inner.state.accessed = true;
        inner
    }

    /// Why it cannot be written to, if it cannot.
    pub(crate) fn unavailable(&self) -> Option<&str> {
        Opened::of(&self.0).null.as_ref().map(NullSession::why)
    }

    #[track_caller]
    fn check_writable(&self) -> Result<()> {
        // No closure: it would hide the caller's line.
        match self.unavailable() {
            None => Ok(()),
            Some(why) => Err(Error::msg(why)).here(),
        }
    }

    /// The value of this key, when it is there and a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        // Read after the lock is let go: `T` may do as it likes.
        let raw = self.lock().state.data.raw(key)?.to_owned();
        data::decode(&raw)
    }

    /// Sets a value: anything that can be JSON.
    ///
    /// # Errors
    /// When the app has no `SECRET_KEY`, or the value cannot be JSON.
    #[track_caller]
    pub fn set(&self, key: impl Into<String>, value: impl Serialize) -> Result<()> {
        self.check_writable()?;
        // Before the lock is taken: what is other people's code may use the session.
        let (key, value) = (key.into(), data::encode(value).map_err(Error::from).here()?);
        let mut inner = self.lock();
        inner.state.data.insert(key, value);
        inner.state.modified = true;
        Ok(())
    }

    /// Sets a value of a type that Python has and JSON has not, for a Flask app that reads the session too.
    ///
    /// # Errors
    /// When the app has no `SECRET_KEY`.
    #[track_caller]
    pub fn set_tagged(&self, key: impl Into<String>, value: Tagged) -> Result<()> {
        self.check_writable()?;
        let key = key.into();
        let mut inner = self.lock();
        inner.state.data.set_tagged(key, value);
        inner.state.modified = true;
        Ok(())
    }

    /// Takes a value out; says whether there was one.
    pub fn remove(&self, key: &str) -> bool {
        let mut inner = self.lock();
        let removed = inner.state.data.remove(key);
        inner.state.modified |= removed;
        removed
    }

    /// Takes a value out, and gives it back when it is a `T`. What is no `T` is gone too.
    pub fn pop<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let raw = {
            let mut inner = self.lock();
            let raw = inner.state.data.take(key)?;
            inner.state.modified = true;
            raw
        };
        data::decode(&raw)
    }

    /// Takes all values out; the browser is told to forget the cookie.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.state.data.clear();
        inner.state.modified = true;
    }

    /// Whether there is a value of this key.
    pub fn contains(&self, key: &str) -> bool {
        self.lock().state.data.contains(key)
    }

    /// The keys, sorted; `_permanent` and `_flashes` are among them when they are set.
    pub fn keys(&self) -> Vec<String> {
        self.lock().state.data.keys().map(str::to_owned).collect()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.lock().state.data.is_empty()
    }

    /// How many values it has; `_permanent` and `_flashes` count when they are set.
    pub fn len(&self) -> usize {
        self.lock().state.data.len()
    }

    /// Gives it another id, where it has one ([`MemorySessions`]): to be called when somebody logs in, so that an id that
    /// somebody else knows, because they planted it, is worth nothing. The values stay.
    ///
    /// In a signed cookie there is no id; then it is signed anew, and that is all.
    pub fn regenerate(&self) {
        let mut inner = self.lock();
        inner.state.wants_new_id = true;
        inner.state.modified = true;
    }

    /// Whether it was changed by this request, and will be written.
    pub fn is_modified(&self) -> bool {
        self.lock().state.modified
    }

    /// Has it written although nothing was set, or not written although something was.
    pub fn set_modified(&self, modified: bool) {
        self.lock().state.modified = modified;
    }

    /// Whether the browser keeps it after it is closed, for `PERMANENT_SESSION_LIFETIME`.
    pub fn permanent(&self) -> bool {
        self.lock().state.is_permanent()
    }

    /// Says whether the browser keeps it after it is closed.
    ///
    /// # Errors
    /// When the app has no `SECRET_KEY`.
    #[track_caller]
    pub fn set_permanent(&self, permanent: bool) -> Result<()> {
        self.set(PERMANENT, permanent)
    }

    /// Keeps a message for the next page that shows messages: see [`flash`](crate::flash).
    ///
    /// # Errors
    /// When the app has no `SECRET_KEY`.
    #[track_caller]
    pub fn flash(&self, message: impl Into<FlashMessage>, category: impl Into<String>) -> Result<()> {
        self.check_writable()?;
        let FlashMessage { text, markup } = message.into();
        let told = signals::Flashing { message: text, markup, category: category.into() };
        let flash = flashes::wire(&told);
        let mut inner = self.lock();
        let mut flashes = match inner.state.data.raw(FLASHES).and_then(data::wire) {
            Some(Value::Array(flashes)) => flashes,
            _ => Vec::new(),
        };
        flashes.push(flash);
        inner.state.data.insert(FLASHES.to_owned(), data::raw(flashes.into()));
        inner.state.modified = true;
        drop(inner);
        signals::MESSAGE_FLASHED.send(&self.0, &told);
        Ok(())
    }

    /// The messages that were kept, taken out of the session: see [`get_flashed_messages`](crate::get_flashed_messages).
    pub fn flashed_messages(&self) -> Vec<Flashed> {
        let mut inner = self.lock();
        if let Some(flashes) = &inner.flashes {
            return flashes.clone();
        }
        let raw = inner.state.data.take(FLASHES);
        inner.state.modified |= raw.is_some();
        let kept = raw.as_deref().and_then(data::wire);
        let kept = kept.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let flashes: Vec<Flashed> = kept.iter().filter_map(Flashed::read).collect();
        inner.flashes = Some(flashes.clone());
        flashes
    }

    /// As [`flashed_messages`](Session::flashed_messages), of these categories; of all when none is named. All are taken
    /// out of the session.
    pub fn flashed_messages_with<C: AsRef<str>>(&self, category_filter: impl IntoIterator<Item = C>) -> Vec<Flashed> {
        let wanted: Vec<C> = category_filter.into_iter().collect();
        let mut flashes = self.flashed_messages();
        if !wanted.is_empty() {
            flashes.retain(|flashed| wanted.iter().any(|category| category.as_ref() == flashed.category));
        }
        flashes
    }
}

impl FromRequest for Session {
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(Session::of(ctx))
    }
}

impl fmt::Debug for Session {
    /// The keys; the values may be nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = Opened::of(&self.0).lock();
        f.debug_tuple("Session").field(&inner.state.data.keys().collect::<Vec<_>>()).finish()
    }
}
