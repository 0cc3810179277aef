//! The test client's cookies.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::SystemTime;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::cookie::{Cookie, parse_cookies};

/// Cookies by domain, path and name: what is removed or has run out goes.
#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<(String, String, String), Stored>);

#[derive(Debug)]
struct Stored {
    value: String,
    /// Set without a domain, so not for its subdomains.
    origin_only: bool,
}

impl Jar {
    /// Takes in what a response to this host and path sets.
    pub(super) fn store(&mut self, host: &str, path: &str, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            self.store_one(host, path, header);
        }
    }

    fn store_one(&mut self, host: &str, request_path: &str, header: &HeaderValue) {
        let Ok(header) = header.to_str() else { return };
        let mut attributes = header.split(';').map(str::trim);
        let Some((name, value)) = attributes.next().and_then(|pair| parse_cookies(pair).next()) else { return };
        let (mut domain, mut path, mut gone) = ("", "", false);
        for attribute in attributes {
            let (key, text) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.to_ascii_lowercase().as_str() {
                "domain" => domain = text.trim_start_matches('.'),
                "path" => path = text,
                "max-age" => gone |= text.parse::<i64>().is_ok_and(|age| age <= 0),
                "expires" => gone |= httpdate::parse_http_date(text).is_ok_and(|at| at <= SystemTime::now()),
                _ => {}
            }
        }
        let origin_only = domain.is_empty();
        let domain = if origin_only { host } else { domain };
        let folder = request_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match (path, folder) {
            ("", "") => "/",
            ("", folder) => folder,
            (path, _) => path,
        };
        let key = (domain.to_ascii_lowercase(), path.to_owned(), name.to_owned());
        if gone {
            self.0.remove(&key);
        } else {
            self.0.insert(key, Stored { value: value.into_owned(), origin_only });
        }
    }

    pub(super) fn set(&mut self, host: &str, cookie: &Cookie) {
        self.store_one(host, "/", &cookie.to_header());
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(_, _, known), _| known != name);
    }

    pub(super) fn remove_at(&mut self, name: &str, domain: &str, path: &str) {
        self.0.remove(&(domain.to_ascii_lowercase(), path.to_owned(), name.to_owned()));
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|((_, _, known), _)| known == name).map(|(_, stored)| stored.value.as_str())
    }

    pub(super) fn get_at(&self, name: &str, domain: &str, path: &str) -> Option<&str> {
        let key = (domain.to_ascii_lowercase(), path.to_owned(), name.to_owned());
        self.0.get(&key).map(|stored| stored.value.as_str())
    }

    /// The `Cookie` header for a host and a path: longer paths first (RFC 6265 section 5.4).
    pub(super) fn header(&self, host: &str, path: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let fits = |((domain, below, _), stored): &(&(String, String, String), &Stored)| {
            in_domain(&host, domain, stored.origin_only) && is_below(path, below)
        };
        let mut fitting: Vec<_> = self.0.iter().filter(fits).collect();
        fitting.sort_by_key(|((_, path, _), _)| Reverse(path.len()));
        let pairs: Vec<_> = fitting
            .into_iter()
            .filter_map(|((_, _, name), stored)| {
                // Written as the server wrote it, so that quoting is seen by both sides.
                let cookie = Cookie::new(name.as_str(), stored.value.as_str()).to_header();
                Some(cookie.to_str().ok()?.split("; ").next()?.to_owned())
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn in_domain(host: &str, domain: &str, origin_only: bool) -> bool {
    host == domain || (!origin_only && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn is_below(path: &str, cookie: &str) -> bool {
    let rest = path.strip_prefix(cookie.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
