//! `Cache-Control`, of requests and of responses (RFC 9111 section 5.2).

use std::fmt;
use std::time::Duration;

use crate::header_set::{list_items, quote, unquote};

/// A `Cache-Control` header (Werkzeug's `RequestCacheControl` and `ResponseCacheControl`): directives in their order, with
/// typed access to the usual ones. See [`Response::cache_control`](crate::Response::cache_control) and
/// [`Request::cache_control`](crate::Request::cache_control).
///
/// ```
/// use dewar::{CacheControl, Response};
/// use std::time::Duration;
///
/// let mut response = Response::text("hello");
/// response.edit_cache_control(|cache| {
///     cache.set_public(true).set_max_age(Duration::from_secs(60));
/// });
/// assert_eq!(response.header("cache-control"), Some("public, max-age=60"));
///
/// let cache = CacheControl::parse("no-cache, max-age=5");
/// assert!(cache.no_cache());
/// assert_eq!(cache.max_age(), Some(Duration::from_secs(5)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheControl(Vec<(String, Option<String>)>);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:literal, $get:ident, $set:ident;)*) => { $(
        #[doc = concat!("Whether `", $name, "` is there, with a value or without.")]
        $(#[$doc])*
        #[must_use]
        pub fn $get(&self) -> bool {
            self.contains($name)
        }

        #[doc = concat!("Puts `", $name, "` in, or takes it out.")]
        pub fn $set(&mut self, on: bool) -> &mut Self {
            if on { self.insert($name, None) } else { self.remove($name) }
        }
    )* };
}

macro_rules! seconds {
    ($($(#[$doc:meta])* $name:literal, $get:ident, $set:ident;)*) => { $(
        #[doc = concat!("The time that `", $name, "` says; `None` when it is not there, or is no number of seconds.")]
        $(#[$doc])*
        #[must_use]
        pub fn $get(&self) -> Option<Duration> {
            self.seconds($name)
        }

        #[doc = concat!("Sets `", $name, "`, in whole seconds; `None` takes it out.")]
        pub fn $set(&mut self, age: impl Into<Option<Duration>>) -> &mut Self {
            match age.into() {
                Some(age) => self.insert($name, Some(age.as_secs().to_string())),
                None => self.remove($name),
            }
        }
    )* };
}

impl CacheControl {
    /// No directives.
    #[must_use]
    pub fn new() -> CacheControl {
        CacheControl::default()
    }

    /// Reads a header's value. The names of directives are in lower case; of one that comes twice the last counts.
    #[must_use]
    pub fn parse(value: &str) -> CacheControl {
        let directives = list_items(value).filter_map(|item| {
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name, Some(unquote(value.trim()).into_owned())),
                None => (item, None),
            };
            Some((name.trim().to_ascii_lowercase(), value)).filter(|(name, _)| !name.is_empty())
        });
        CacheControl(directives.collect())
    }

    flags! {
        "no-store", no_store, set_no_store;
        "no-transform", no_transform, set_no_transform;
        "no-cache", no_cache, set_no_cache;
        "public", public, set_public;
        "private", private, set_private;
        "must-revalidate", must_revalidate, set_must_revalidate;
        "proxy-revalidate", proxy_revalidate, set_proxy_revalidate;
        "must-understand", must_understand, set_must_understand;
        "immutable", immutable, set_immutable;
        /// Of requests.
        "only-if-cached", only_if_cached, set_only_if_cached;
    }

    seconds! {
        "max-age", max_age, set_max_age;
        "s-maxage", s_maxage, set_s_maxage;
        "stale-while-revalidate", stale_while_revalidate, set_stale_while_revalidate;
        "stale-if-error", stale_if_error, set_stale_if_error;
        /// Of requests. Without a number it means any age: see [`contains`](CacheControl::contains).
        "max-stale", max_stale, set_max_stale;
        /// Of requests.
        "min-fresh", min_fresh, set_min_fresh;
    }

    /// Whether a directive is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A directive's value, where it has one: the fields that `private="x-user"` is about, or an extension's.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name)?.as_deref()
    }

    /// Sets a directive, with a value or without: `cache.set("private", Some("x-user"))`.
    ///
    /// # Panics
    /// At the caller's line, when the name is no token, or the value has a control character.
    #[track_caller]
    pub fn set(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        assert!(crate::cookie::is_token(name), "{name:?} is not the name of a Cache-Control directive");
        let fits = value.is_none_or(|value| !value.chars().any(char::is_control));
        assert!(fits, "the value {value:?} of {name} has a control character");
        self.insert(&name.to_ascii_lowercase(), value.map(str::to_owned))
    }

    /// Takes a directive out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// The directives, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, name: &str) -> Option<&Option<String>> {
        self.0.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// One that is there keeps its place.
    fn insert(&mut self, name: &str, value: Option<String>) -> &mut Self {
        let place = self.0.iter().position(|(known, _)| known == name).unwrap_or(self.0.len());
        self.remove(name);
        self.0.insert(place, (name.to_owned(), value));
        self
    }

    /// More than a `u64` holds is its largest (RFC 9111 section 1.2.2).
    fn seconds(&self, name: &str) -> Option<Duration> {
        let digits = self.get(name)?.trim();
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
    }
}

/// As a header's value.
impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            f.write_str(name)?;
            if let Some(value) = value {
                write!(f, "={}", quote(value))?;
            }
        }
        Ok(())
    }
}
