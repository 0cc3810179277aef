//! `g`: a namespace per request.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Ctx;

/// Most requests leave nothing here, so the map is made with its first entry.
///
/// Nothing of its users' runs under the map's lock: values are cloned, made and dropped outside of it, since any of that
/// may use `g` too. A value that is being cloned is locked by itself, so that it can be taken out as one that nobody
/// else has.
#[derive(Default)]
pub(crate) struct Namespace(Mutex<Map>);

type Map = BTreeMap<Cow<'static, str>, Arc<dyn Any + Send + Sync>>;

/// What the map's values are: `None` once the value was taken out.
type Place<T> = Mutex<Option<T>>;

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

    /// The value of this name, when it is there and a `T`.
    pub fn get<T: Clone + 'static>(&self, name: &str) -> Option<T> {
        let place = self.map().get(name)?.clone();
        let value = place.downcast_ref::<Place<T>>()?.lock().unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    /// Sets a value.
    pub fn set<T: Send + Sync + 'static>(&self, name: impl Into<Cow<'static, str>>, value: T) {
        let (name, place) = (name.into(), Arc::new(Mutex::new(Some(value))));
        let old = self.map().insert(name, place);
        drop(old);
    }

    /// The value of this name; where there is none (or none of this type), the one that `make` makes, which stays.
    /// `make` may use `g` itself.
    pub fn get_or_insert_with<T: Clone + Send + Sync + 'static>(
        &self,
        name: impl Into<Cow<'static, str>>,
        make: impl FnOnce() -> T,
    ) -> T {
        let name = name.into();
        if let Some(value) = self.get(&name) {
            return value;
        }
        let value = make();
        self.set(name, value.clone());
        value
    }

    /// Takes a value out.
    pub fn pop<T: 'static>(&self, name: &str) -> Option<T> {
        let place = {
            let mut map = self.map();
            if !map.get(name)?.is::<Place<T>>() {
                return None;
            }
            map.remove(name)?
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
