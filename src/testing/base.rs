//! Where the test client's requests go to: scheme, host, and the path that a proxy has taken off.

use http::Uri;

use crate::ctx::Site;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) secure: bool,
    /// With its port, where it has one.
    pub(super) host: String,
    /// Empty, or as `/app`.
    pub(super) root: String,
}

impl Default for Base {
    fn default() -> Base {
        Base { secure: false, host: "localhost".to_owned(), root: String::new() }
    }
}

impl Base {
    /// As the configuration says: `PREFERRED_URL_SCHEME`, `SERVER_NAME`, `APPLICATION_ROOT`.
    pub(super) fn of(app: &Site) -> Base {
        let settings = app.settings();
        Base {
            secure: settings.preferred_url_scheme == "https",
            host: settings.server_name.clone().unwrap_or_else(|| "localhost".to_owned()),
            root: settings.application_root.trim_end_matches('/').to_owned(),
        }
    }

    #[track_caller]
    pub(super) fn parse(url: &str) -> Base {
        let uri: Option<Uri> = url.parse().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?, uri.path(), uri.query())));
        match parts {
            Some((scheme @ ("http" | "https"), host, root, None)) => Base {
                secure: scheme == "https",
                host: host.as_str().to_owned(),
                root: root.trim_end_matches('/').to_owned(),
            },
            _ => panic!("{url:?} is no base URL: write scheme and host, as in \"https://example.org\""),
        }
    }

    pub(super) fn host_name(&self) -> &str {
        host_name(&self.host)
    }

    /// The path as a browser sees it.
    pub(super) fn whole_path(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Where a `Location` leads from a path here (RFC 3986 section 5.2).
    ///
    /// # Panics
    /// At the caller's line, when it leads to another host, or is no URL.
    #[track_caller]
    pub(super) fn resolve(&self, path: &str, location: &str, subdomains: bool) -> (Base, Uri) {
        let location = location.split('#').next().unwrap_or_default();
        let mut base = self.clone();
        let rest = match location.split_once("//") {
            Some((scheme @ ("" | "http:" | "https:"), rest)) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (host, rest) = rest.split_at(end);
                self.check_host(host, location, subdomains);
                if !scheme.is_empty() {
                    base.secure = scheme == "https:";
                }
                base.host = host.to_owned();
                if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
            }
            _ if is_absolute(location) => panic!("the redirect to {location} leads away from HTTP"),
            _ => location.to_owned(),
        };
        let here = self.whole_path(path);
        let (target, query) = match rest.split_once('?') {
            Some((target, query)) => (target, Some(query)),
            None => (rest.as_str(), None),
        };
        let target = match target {
            "" => here,
            target if target.starts_with('/') => target.to_owned(),
            target => {
                let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{target}")
            }
        };
        let target = without_dots(&target);
        // A proxy takes the root off again; what is not below it is outside of the app's, and gets there as it is.
        let below = target.strip_prefix(&base.root).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let target = match below {
            Some("") => "/".to_owned(),
            Some(rest) => rest.to_owned(),
            None => {
                base.root.clear();
                target
            }
        };
        let target = match query {
            Some(query) => format!("{target}?{query}"),
            None => target,
        };
        match target.parse() {
            Ok(uri) => (base, uri),
            Err(error) => panic!("the redirect to {location:?} is not a URL: {error}"),
        }
    }

    #[track_caller]
    fn check_host(&self, host: &str, location: &str, subdomains: bool) {
        let (from, to) = (self.host_name(), host_name(host));
        if from.eq_ignore_ascii_case(to) {
            return;
        }
        if !to.to_ascii_lowercase().ends_with(&format!(".{}", from.to_ascii_lowercase())) {
            panic!(
                "the redirect to {location} leads to another host than {from}, where the test client cannot follow: \
                 look at the response without `follow_redirects()`"
            );
        }
        assert!(
            subdomains,
            "the redirect to {location} leads to a subdomain of {from}: a client with `allow_subdomain_redirects(true)` \
             follows it"
        );
    }
}

pub(super) fn host_name(host: &str) -> &str {
    match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Whether it begins with a scheme.
fn is_absolute(location: &str) -> bool {
    let scheme = location.split(['/', '?', ':']).next().unwrap_or_default();
    location[scheme.len()..].starts_with(':') && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let folder = path.ends_with("/.") || path.ends_with("/..");
    format!("/{}{}", kept.join("/"), if folder && !kept.is_empty() { "/" } else { "" })
}
