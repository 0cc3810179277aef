//! Sessions in this process's memory: the browser has no more than an id.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;

use super::{SessionCookie, SessionData, SessionInterface, SessionState};
use crate::ctx::Site;
use crate::error::Result;
use crate::random;
use crate::request::Request;
use crate::response::Response;
use crate::signing::BASE64;

/// Sessions in this process's memory: the cookie has an id that nobody can guess (32 random bytes), and nothing else.
///
/// So a visitor cannot read what is in the session, it may be larger than a cookie, and it can be ended here. It is gone
/// when the process ends, and other processes do not know it: for one process, and for tests; a store that several share
/// is a [`SessionInterface`] of your own. No `SECRET_KEY` is needed.
///
/// At most 100,000 sessions are kept, or as many as [`with_limit`](MemorySessions::with_limit) says: one more, and the one
/// that was written the longest ago goes. An id that is not known, whoever made it up, is never taken over: the session
/// gets a new one. After a login, call [`Session::regenerate`](crate::Session::regenerate).
///
/// A session that was ended while another request was at work with it stays ended.
///
/// It is a handle: keep a clone to look at it while the app runs.
///
/// ```
/// use dewar::{App, MemorySessions, session};
///
/// let sessions = MemorySessions::new();
/// let mut app = App::new("demo");
/// app.session_interface(sessions.clone());
/// app.post("/login", || {
///     session().regenerate();
///     session().set("user", "ada")
/// });
/// app.get("/", || session().get::<String>("user").unwrap_or("nobody".into()));
///
/// let client = app.test_client();
/// client.post("/login").send();
/// assert_eq!((client.get("/").text().as_str(), sessions.len()), ("ada", 1));
/// sessions.clear(); // everybody is logged out
/// assert_eq!(client.get("/").text(), "nobody");
/// ```
#[derive(Clone)]
pub struct MemorySessions(Arc<Shared>);

struct Shared {
    store: Mutex<Store>,
    most: usize,
}

#[derive(Default)]
struct Store {
    sessions: HashMap<String, Kept>,
    /// The ids in the order in which they were written. All sessions last equally long, so it is that in which they end.
    order: BTreeMap<u64, String>,
    turn: u64,
}

struct Kept {
    data: SessionData,
    /// `None`: later than the clock goes.
    ends: Option<Instant>,
    turn: u64,
}

impl MemorySessions {
    /// No sessions, and room for 100,000.
    pub fn new() -> MemorySessions {
        MemorySessions::with_limit(100_000)
    }

    /// No sessions, and room for so many; for one at least.
    pub fn with_limit(most: usize) -> MemorySessions {
        MemorySessions(Arc::new(Shared { store: Mutex::default(), most: most.max(1) }))
    }

    /// How many sessions there are; those count that have run out and were not asked for since.
    pub fn len(&self) -> usize {
        self.store().sessions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends all of them.
    pub fn clear(&self) {
        *self.store() = Store::default();
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySessions {
    fn default() -> MemorySessions {
        MemorySessions::new()
    }
}

impl Store {
    fn get(&mut self, id: &str) -> Option<&SessionData> {
        if self.sessions.get(id)?.is_over() {
            self.remove(id);
        }
        Some(&self.sessions.get(id)?.data)
    }

    fn remove(&mut self, id: &str) {
        if let Some(kept) = self.sessions.remove(id) {
            self.order.remove(&kept.turn);
        }
    }

    fn put(&mut self, id: String, data: SessionData, lifetime: Duration, most: usize) {
        self.remove(&id);
        self.turn += 1;
        self.order.insert(self.turn, id.clone());
        self.sessions.insert(id, Kept { data, ends: Instant::now().checked_add(lifetime), turn: self.turn });
        // Those that have run out are at the front. Two at a time, so that they go sooner than they come.
        for _ in 0..2 {
            let Some((_, oldest)) = self.order.first_key_value() else { break };
            let gone = self.sessions.len() > most || self.sessions.get(oldest).is_none_or(Kept::is_over);
            if !gone {
                break;
            }
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }
}

impl Kept {
    fn is_over(&self) -> bool {
        self.ends.is_some_and(|end| end < Instant::now())
    }
}

impl SessionInterface for MemorySessions {
    fn open_session(&self, app: &Site, request: &Request) -> Result<Option<SessionState>> {
        let opened = SessionCookie::of(app).value(request).and_then(|id| {
            let data = self.store().get(&id)?.clone();
            Some(SessionState::new(data).with_id(id))
        });
        Ok(Some(opened.unwrap_or_default()))
    }

    fn save_session(&self, app: &Site, session: &SessionState, response: &mut Response) -> Result<()> {
        let cookie = SessionCookie::of(app);
        if session.data().is_empty() {
            if session.is_modified() {
                if let Some(id) = session.id() {
                    self.store().remove(id);
                }
                cookie.delete(response);
            }
            return Ok(());
        }
        if !self.should_set_cookie(app, session) {
            return Ok(());
        }
        let data = session.data().clone();
        let mut store = self.store();
        if session.id().is_some_and(|id| store.get(id).is_none()) {
            return Ok(());
        }
        let id = match session.id() {
            Some(id) if !session.wants_new_id() => id.to_owned(),
            old => {
                if let Some(old) = old {
                    store.remove(old);
                }
                new_id()
            }
        };
        store.put(id.clone(), data, cookie.lifetime(), self.0.most);
        drop(store);
        cookie.set(response, id, session.is_permanent());
        Ok(())
    }
}

fn new_id() -> String {
    let mut bytes = [0; 32];
    random::fill(&mut bytes);
    BASE64.encode(bytes)
}

impl fmt::Debug for MemorySessions {
    /// Without ids and values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").field("len", &self.len()).finish_non_exhaustive()
    }
}
