//! A session as interfaces see it: its values, its id, and what the request did to it.

use std::borrow::Cow;

use super::{PERMANENT, SessionData};

/// A session between [`open_session`](super::SessionInterface::open_session) and
/// [`save_session`](super::SessionInterface::save_session): the values, the id where the interface has ids, and what the
/// request did to it.
#[derive(Debug, Clone, Default)]
pub struct SessionState {
    pub(super) data: SessionData,
    pub(super) id: Option<String>,
    pub(super) accessed: bool,
    pub(super) modified: bool,
    pub(super) wants_new_id: bool,
}

impl SessionState {
    /// A session with these values.
    pub fn new(data: SessionData) -> SessionState {
        SessionState { data, ..SessionState::default() }
    }

    /// The same, kept under this id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> SessionState {
        self.id = Some(id.into());
        self
    }

    /// The values.
    pub fn data(&self) -> &SessionData {
        &self.data
    }

    /// The id that it was opened under, if it was.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it was asked anything: the response depends on the cookie then.
    pub fn is_accessed(&self) -> bool {
        self.accessed
    }

    /// Whether it was changed, and must be written.
    pub fn is_modified(&self) -> bool {
        self.modified
    }

    /// Whether [`Session::regenerate`](crate::Session::regenerate) was called: it is to be kept under another id.
    pub fn wants_new_id(&self) -> bool {
        self.wants_new_id
    }

    /// Whether the browser keeps it after it is closed: the value of `_permanent`, as far as Python would take it for
    /// true.
    pub fn is_permanent(&self) -> bool {
        let value = self.data.raw(PERMANENT).map(|raw| raw.get());
        value.is_some_and(|value| !matches!(value, "false" | "null" | "0" | "0.0" | "\"\"" | "[]" | "{}"))
    }
}

/// A session that there is none of (Flask's `NullSession`): it is empty, and every write fails with these words.
#[derive(Debug, Clone)]
pub struct NullSession(Cow<'static, str>);

impl NullSession {
    /// With what writers are told: why there is no session, and what to do about it.
    pub fn new(why: impl Into<Cow<'static, str>>) -> NullSession {
        NullSession(why.into())
    }

    /// What writers are told.
    pub fn why(&self) -> &str {
        &self.0
    }
}

impl Default for NullSession {
    /// For an app without a `SECRET_KEY`.
    fn default() -> NullSession {
        NullSession::new(
            "the session cannot be written to, since the app has no SECRET_KEY to sign it with: make a random one, for \
             instance by `openssl rand -hex 32`, keep it out of the sources, and give it to the app by \
             `app.config_mut().set(\"SECRET_KEY\", …)` or `from_prefixed_env`",
        )
    }
}
