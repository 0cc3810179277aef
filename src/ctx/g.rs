//! `g`: a namespace per request.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::Ctx;

/// Most requests leave nothing here, so the map is made with its first entry.
///
/// Nothing of its users' runs under the map's lock: values are cloned, made and dropped outside of it, since any of that
/// may use `g` too. A value that is being cloned is locked by itself, so that it can be taken out as one that nobody
/// else has.
#[derive(Default)]
pub(crate) struct Namespace(Mutex<Map>);

type Map = BTreeMap<Cow<'static, str>, Entry>;

/// What an entry's value is: `None` once it was taken out.
type Place<T> = Mutex<Option<T>>;

fn clone_of<T: Clone + 'static>(place: &dyn Any) -> Option<T> {
    place.downcast_ref::<Place<T>>()?.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// As `clone_of`, but where an `Option<T>` was set, it is what is in that.
fn clone_inside<T: Clone + 'static>(place: &dyn Any) -> Option<T> {
    match place.is::<Place<T>>() {
        true => clone_of(place),
        false => clone_of::<Option<T>>(place).flatten(),
    }
}

struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    type_name: &'static str,
    #[cfg_attr(not(feature = "templates"), allow(dead_code, reason = "only templates ask"))]
    show: Option<Show>,
}

/// `None` when the value was taken out meanwhile.
type Show = fn(&dyn Any) -> Option<serde_json::Result<Value>>;

/// A namespace that lives as long as one request (Flask's `g`): what a hook leaves in it, the handler finds.
///
/// Values are found by name and type, and come back as clones; put what is costly to clone into an `Arc`.
///
/// ```
/// use dewar::{App, g};
///
/// let mut app = App::new("shop");
/// app.before_request(|| g().set("user", String::from("ada")));
/// app.get("/", || format!("Hello, {}!", g().get::<String>("user").unwrap_or_default())).endpoint("index");
/// assert_eq!(app.test_client().get("/").text(), "Hello, ada!");
/// ```
#[derive(Clone)]
pub struct G(Arc<Ctx>);

impl G {
    pub(super) fn new(ctx: Arc<Ctx>) -> G {
        G(ctx)
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.namespace().0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of this name, when it is there and a `T`. One that was set as an `Option<T>` counts too, when it is
    /// `Some`: so `g.user = None` for those who are not logged in is `g().set("user", None::<User>)`, and
    /// `g().get::<User>("user")` asks for either.
    ///
    /// A value of another type is not found; a debug message in the log says of which it is.
    ///
    /// ```
    /// use dewar::{App, Error, g};
    ///
    /// let service = App::new("shop").into_service()?;
    /// service.app_context(|| {
    ///     g().set("user", None::<String>);
    ///     assert_eq!(g().get::<String>("user"), None);
    ///     g().set("user", Some(String::from("ada")));
    ///     assert_eq!(g().get::<String>("user").as_deref(), Some("ada"));
    /// });
    /// # Ok::<(), Error>(())
    /// ```
    pub fn get<T: Clone + 'static>(&self, name: &str) -> Option<T> {
        let (place, is) = {
            let map = self.map();
            let entry = map.get(name)?;
            (Arc::clone(&entry.value), entry.type_name)
        };
        if !place.is::<Place<T>>() && !place.is::<Place<Option<T>>>() {
            log::debug!("`g.{name}` is a `{is}`, and was asked for as a `{}`: it is not found", type_name::<T>());
        }
        clone_inside(&*place)
    }

    /// The value of this name when it is a `T`, no more: for those who try one type after another.
    #[cfg(feature = "templates")]
    pub(crate) fn look<T: Clone + 'static>(&self, name: &str) -> Option<T> {
        let place = Arc::clone(&self.map().get(name)?.value);
        clone_of(&*place)
    }

    /// Sets a value. Templates see it as `g.name` when it is text, a number or a truth value, or an `Option` of that; for
    /// others there is [`set_shown`](G::set_shown).
    ///
    /// Async tasks of the request may ask from another thread, so the value is `Sync`. One that is not, such as a
    /// `rusqlite::Connection`, is put into an `Arc<Mutex<…>>`.
    pub fn set<T: Send + Sync + 'static>(&self, name: impl Into<Cow<'static, str>>, value: T) {
        self.insert(name.into(), value, None);
    }

    /// Sets a value that templates see too: `{{ g.user.name }}`, `{% if g.user %}`.
    ///
    /// ```
    /// use dewar::{App, context, g, render_template_string};
    ///
    /// #[derive(Clone, serde::Serialize)]
    /// struct User { name: String, #[serde(skip)] password: String }
    ///
    /// let mut app = App::new("shop");
    /// app.before_request(|| g().set_shown("user", User { name: "ada".into(), password: "secret".into() }));
    /// app.get("/", || render_template_string("Hello, {{ g.user.name }}!", context! {})).endpoint("index");
    /// assert_eq!(app.test_client().get("/").text(), "Hello, ada!");
    /// ```
    pub fn set_shown<T>(&self, name: impl Into<Cow<'static, str>>, value: T)
    where
        T: Serialize + Clone + Send + Sync + 'static,
    {
        let show: Show = |place| clone_of::<T>(place).map(serde_json::to_value);
        self.insert(name.into(), value, Some(show));
    }

    fn insert<T: Send + Sync + 'static>(&self, name: Cow<'static, str>, value: T, show: Option<Show>) {
        let entry = Entry { value: Arc::new(Mutex::new(Some(value))), type_name: type_name::<T>(), show };
        // The old value is dropped after the lock is let go: its `Drop` may use `g` too.
        let old = self.map().insert(name, entry);
        drop(old);
    }

    /// What a template sees of a value that was set with `set_shown`, or why it sees nothing.
    #[cfg(feature = "templates")]
    pub(crate) fn shown(&self, name: &str) -> Option<Result<Value, String>> {
        let (place, show, type_name) = {
            let map = self.map();
            let entry = map.get(name)?;
            (Arc::clone(&entry.value), entry.show, entry.type_name)
        };
        Some(match show {
            Some(show) => {
                show(&*place)?.map_err(|error| format!("`g.{name}`, a `{type_name}`, cannot be shown: {error}"))
            }
            None => Err(format!(
                "`g.{name}` is a `{type_name}`, which a template cannot see: derive `serde::Serialize` for it and set \
                 it with `g().set_shown(\"{name}\", …)`"
            )),
        })
    }

    /// The value of this name; where there is none (or none of this type), the one that `make` makes, which stays.
    /// `make` may use `g` itself.
    pub fn get_or_insert_with<T: Clone + Send + Sync + 'static>(
        &self,
        name: impl Into<Cow<'static, str>>,
        make: impl FnOnce() -> T,
    ) -> T {
        let Ok(value) = self.get_or_try_insert_with(name, || Ok::<T, std::convert::Infallible>(make()));
        value
    }

    /// As [`get_or_insert_with`](G::get_or_insert_with), of a value that may fail to be made: a connection to a
    /// database, opened by the first of a request that asks for it.
    ///
    /// ```
    /// use dewar::{App, Error, Result, g};
    /// use std::fs::File;
    /// use std::sync::Arc;
    ///
    /// fn source() -> Result<Arc<File>> {
    ///     Ok(g().get_or_try_insert_with("source", || File::open("Cargo.toml").map(Arc::new))?)
    /// }
    ///
    /// let mut app = App::new("demo");
    /// app.get("/", || -> Result<String> { Ok(source()?.metadata()?.is_file().to_string()) });
    /// app.teardown_request(|_: Option<&Error>| drop(g().pop::<Arc<File>>("source")));
    /// assert_eq!(app.test_client().get("/").text(), "true");
    /// ```
    ///
    /// # Errors
    /// What `make` says; then nothing is set.
    pub fn get_or_try_insert_with<T: Clone + Send + Sync + 'static, E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let name = name.into();
        if let Some(value) = self.get(&name) {
            return Ok(value);
        }
        let value = make()?;
        self.set(name, value.clone());
        Ok(value)
    }

    /// Takes a value out: one that was set as this very type, so an `Option<T>` as that.
    pub fn pop<T: 'static>(&self, name: &str) -> Option<T> {
        let place = {
            let mut map = self.map();
            if !map.get(name)?.value.is::<Place<T>>() {
                return None;
            }
            map.remove(name)?.value
        };
        let mut value = place.downcast_ref::<Place<T>>()?.lock().unwrap_or_else(PoisonError::into_inner);
        value.take()
    }

    /// Whether there is a value of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.map().contains_key(name)
    }

    /// The names that are set, sorted.
    pub fn names(&self) -> Vec<String> {
        self.map().keys().map(|name| name.to_string()).collect()
    }
}

impl fmt::Debug for G {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("G").field(&self.names()).finish()
    }
}
