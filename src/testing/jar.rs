//! The test client's cookies.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::cookie::parse_cookies;

/// Cookies by name and path, as far as a client of one host needs them: what is removed or has run out goes.
#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<(String, String), String>);

impl Jar {
    pub(super) fn store(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let Ok(header) = header.to_str() else { continue };
            let mut attributes = header.split(';').map(str::trim);
            let Some((name, value)) = attributes.next().and_then(|pair| parse_cookies(pair).next()) else { continue };
            let (mut path, mut gone) = ("/", false);
            for attribute in attributes {
                let (key, text) = attribute.split_once('=').unwrap_or((attribute, ""));
                match key.to_ascii_lowercase().as_str() {
                    "path" => path = text,
                    "max-age" => gone |= text.parse::<i64>().is_ok_and(|age| age <= 0),
                    "expires" => {
                        gone |= httpdate::parse_http_date(text).is_ok_and(|at| at <= std::time::SystemTime::now());
                    }
                    _ => {}
                }
            }
            let key = (name.to_owned(), path.to_owned());
            if gone {
                self.0.remove(&key);
            } else {
                self.0.insert(key, value.into_owned());
            }
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert((name.to_owned(), "/".to_owned()), value.to_owned());
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _), _| known != name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|((known, _), _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The `Cookie` header for a path: longer paths first (RFC 6265 section 5.4).
    pub(super) fn header(&self, path: &str) -> Option<String> {
        let below = |cookie: &str| {
            let rest = path.strip_prefix(cookie.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut fitting: Vec<_> = self.0.iter().filter(|((_, cookie), _)| below(cookie)).collect();
        fitting.sort_by_key(|((_, cookie), _)| std::cmp::Reverse(cookie.len()));
        let pairs: Vec<_> = fitting
            .into_iter()
            .filter_map(|((name, _), value)| {
                // Written as the server wrote it, so that quoting is seen by both sides.
                let cookie = crate::cookie::Cookie::new(name.as_str(), value.as_str()).to_header();
                Some(cookie.to_str().ok()?.split("; ").next()?.to_owned())
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}
