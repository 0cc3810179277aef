//! Where sessions are kept: the trait, and the cookie of Flask's, which is where they are by default.

use std::fmt;
use std::time::SystemTime;

use super::{NullSession, SessionCookie, SessionSerializer, SessionState};
use crate::config::SessionSettings;
use crate::ctx::Site;
use crate::error::Result;
use crate::request::Request;
use crate::response::Response;

/// Where sessions are kept (Flask's `SessionInterface`): set by [`App::session_interface`](crate::App::session_interface).
///
/// [`SecureCookieSessionInterface`] is the default, [`MemorySessions`](crate::MemorySessions) the one that keeps them in
/// this process. One of your own has two methods: they block as they like, on a database, say.
///
/// A session is opened when it is first asked something, and saved after the after-request hooks, if it was opened. One
/// that nobody asked is opened and saved too when it may be permanent, is to be refreshed with each request
/// (`SESSION_REFRESH_EACH_REQUEST`), and the request has the cookie `SESSION_COOKIE_NAME`. Neither method may ask
/// `session()`: it is not there yet, or not any more.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use dewar::{App, Request, Response, Result, SessionData, SessionInterface, SessionState, Site, session};
///
/// /// Sessions by the token that a program sends along.
/// #[derive(Default)]
/// struct ByToken(Mutex<HashMap<String, SessionData>>);
///
/// impl SessionInterface for ByToken {
///     fn open_session(&self, _: &Site, request: &Request) -> Result<Option<SessionState>> {
///         let Some(token) = request.header("x-token") else { return Ok(None) };
///         let data = self.0.lock().unwrap().get(token).cloned().unwrap_or_default();
///         Ok(Some(SessionState::new(data).with_id(token)))
///     }
///
///     fn save_session(&self, _: &Site, session: &SessionState, _: &mut Response) -> Result<()> {
///         let Some(id) = session.id().filter(|_| session.is_modified()) else { return Ok(()) };
///         self.0.lock().unwrap().insert(id.to_owned(), session.data().clone());
///         Ok(())
///     }
/// }
///
/// let mut app = App::new("demo");
/// app.session_interface(ByToken::default());
/// app.get("/", || {
///     let n = session().get::<u32>("n").unwrap_or(0) + 1;
///     session().set("n", n).map(|()| n.to_string())
/// });
/// let client = app.test_client();
/// let ask = || client.request("GET", "/").header("x-token", "t1").send();
/// assert_eq!((ask().text(), ask().text()), ("1".into(), "2".into()));
/// assert_eq!(client.get("/").status(), 500, "there is no session without a token");
/// ```
pub trait SessionInterface: Send + Sync + 'static {
    /// The session of this request; a new one is empty. `None` when there can be none, which
    /// [`make_null_session`](SessionInterface::make_null_session) says more about.
    ///
    /// # Errors
    /// When it cannot be found out, because the store is down, for instance. That is logged; the session is empty, cannot
    /// be written to, and is not saved.
    fn open_session(&self, app: &Site, request: &Request) -> Result<Option<SessionState>>;

    /// Keeps the session, if it must be ([`should_set_cookie`](SessionInterface::should_set_cookie) knows), and has the
    /// response tell the browser: by [`SessionCookie`], which has the configuration's attributes.
    ///
    /// That the response varies by the cookie, when the session was asked anything, is said already.
    ///
    /// # Errors
    /// When it cannot be kept. The request is answered with 500 then.
    fn save_session(&self, app: &Site, session: &SessionState, response: &mut Response) -> Result<()>;

    /// What stands for a session where there is none. Unless you say otherwise it tells who writes to it to set a
    /// `SECRET_KEY`.
    fn make_null_session(&self, app: &Site) -> NullSession {
        let _ = app;
        NullSession::default()
    }

    /// Whether the session must be kept and its cookie set: when it was changed, or is permanent and refreshed with each
    /// request.
    fn should_set_cookie(&self, app: &Site, session: &SessionState) -> bool {
        session.is_modified() || (session.is_permanent() && app.settings().session.refresh_each_request)
    }
}

/// Sessions in a signed cookie, in Flask's own format (Flask's class of this name): the default.
///
/// It is named where an interface of your own wants to hand some sessions on to it.
pub struct SecureCookieSessionInterface(Option<SessionSerializer>);

impl SecureCookieSessionInterface {
    /// With a serializer of one's own; that of an app comes from its configuration.
    pub fn new(serializer: SessionSerializer) -> SecureCookieSessionInterface {
        SecureCookieSessionInterface(Some(serializer))
    }

    pub(crate) fn configured(settings: &SessionSettings) -> SecureCookieSessionInterface {
        SecureCookieSessionInterface(SessionSerializer::configured(settings))
    }
}

impl SessionInterface for SecureCookieSessionInterface {
    fn open_session(&self, app: &Site, request: &Request) -> Result<Option<SessionState>> {
        let Some(serializer) = &self.0 else { return Ok(None) };
        let cookie = SessionCookie::of(app);
        let read = |text: String| serializer.loads(&text, cookie.lifetime(), SystemTime::now()).ok();
        Ok(Some(SessionState::new(cookie.value(request).and_then(read).unwrap_or_default())))
    }

    fn save_session(&self, app: &Site, session: &SessionState, response: &mut Response) -> Result<()> {
        let Some(serializer) = &self.0 else { return Ok(()) };
        let cookie = SessionCookie::of(app);
        if session.data().is_empty() {
            if session.is_modified() {
                cookie.delete(response);
            }
        } else if self.should_set_cookie(app, session) {
            let value = serializer.dumps(session.data(), SystemTime::now());
            cookie.set(response, value, session.is_permanent());
        }
        Ok(())
    }
}

impl fmt::Debug for SecureCookieSessionInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecureCookieSessionInterface").field(&self.0).finish()
    }
}

/// The app's, among its parts.
pub(crate) struct Interface(pub(crate) Box<dyn SessionInterface>);
