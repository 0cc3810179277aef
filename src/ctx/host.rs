//! The host that a request is for: whether it is one, whether it is trusted, and which subdomain it is.

use std::net::Ipv6Addr;

use http::header::HOST;

use super::site::Site;
use crate::error::HttpError;
use crate::request::Request;

/// Which part hosts have in routing.
#[derive(Debug, Default)]
pub(crate) struct HostRules {
    /// Rules are for whole hosts.
    pub(crate) host_matching: bool,
    /// Rules are for subdomains of `SERVER_NAME`.
    pub(crate) subdomain_matching: bool,
}

impl HostRules {
    /// Whether a rule's host or subdomain is compared with the request's.
    pub(crate) fn matched(&self) -> bool {
        self.host_matching || self.subdomain_matching
    }
}

impl Site {
    /// What rules' hosts are compared with: the request's host, or its subdomain below `SERVER_NAME`, or nothing, in
    /// lower case.
    ///
    /// # Errors
    /// 400 for a host that is none, or not one of `TRUSTED_HOSTS`.
    pub(crate) fn domain(&self, request: &Request) -> Result<Option<String>, HttpError> {
        self.check_host(request)?;
        Ok(match self.hosts {
            HostRules { host_matching: true, .. } => Some(request.host().to_lowercase()),
            HostRules { subdomain_matching: true, .. } => Some(self.subdomain(request)),
            _ => None,
        })
    }

    /// The labels in front of `SERVER_NAME`; of a host that is not below it, a text that no name is (as in Werkzeug).
    fn subdomain(&self, request: &Request) -> String {
        let host = request.host().to_lowercase();
        match self.server_name(request.scheme()) {
            None => String::new(),
            Some(name) if host == name => String::new(),
            Some(name) => match host.strip_suffix(&*name).and_then(|before| before.strip_suffix('.')) {
                Some(before) => before.split('.').filter(|label| !label.is_empty()).collect::<Vec<_>>().join("."),
                None => "<invalid>".to_owned(),
            },
        }
    }

    /// `SERVER_NAME`, in lower case and without the port that the scheme has anyway.
    pub(super) fn server_name(&self, scheme: &str) -> Option<String> {
        let name = self.settings.server_name.as_deref().filter(|name| !name.is_empty())?.to_lowercase();
        let usual = if scheme == "https" { ":443" } else { ":80" };
        Some(name.strip_suffix(usual).map_or(name.clone(), str::to_owned))
    }

    /// Refuses a host that is none, and one that `TRUSTED_HOSTS` does not have.
    pub(crate) fn check_host(&self, request: &Request) -> Result<(), HttpError> {
        let refuse = |why: &str| {
            let host = request.headers().get(HOST).map_or_else(|| request.host().as_bytes(), |host| host.as_bytes());
            let host = String::from_utf8_lossy(host).into_owned();
            Err(HttpError::new(400).with_description(format!("The host '{host}' {why}.")))
        };
        // Bytes beyond ASCII are a header that `host()` does not see.
        let hidden = request.uri().authority().is_none()
            && request.headers().get(HOST).is_some_and(|host| host.to_str().is_err());
        let Some(name) = name_of(request.host()).filter(|_| !hidden) else {
            return refuse("is not a valid one");
        };
        match &self.settings.trusted_hosts {
            Some(trusted) if !trusted.is_empty() && !trusted.iter().any(|known| is_trusted(name, known)) => {
                refuse("is not trusted")
            }
            _ => Ok(()),
        }
    }
}

/// Whether a name is the one of `TRUSTED_HOSTS`, or, where that begins with a dot, below it. Case and port do not count.
fn is_trusted(name: &str, known: &str) -> bool {
    let (known, below) = match known.strip_prefix('.') {
        Some(rest) => (rest, true),
        None => (known, false),
    };
    let known = name_of(known).unwrap_or(known);
    if name.eq_ignore_ascii_case(known) {
        return true;
    }
    // Compared as bytes: both ends of a name that was checked are ASCII.
    let (name, known) = (name.as_bytes(), known.as_bytes());
    below
        && name.len() > known.len()
        && name[name.len() - known.len()..].eq_ignore_ascii_case(known)
        && name[name.len() - known.len() - 1] == b'.'
}

/// The name in `name[:port]`, if that is what it is: letters, digits, `.`, `-` and `_`, or an IPv6 address in brackets.
fn name_of(host: &str) -> Option<&str> {
    let end = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            rest[..end].parse::<Ipv6Addr>().ok()?;
            end + 2
        }
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_port = |port: &str| {
        let digits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
        digits && port.parse::<u32>().is_ok_and(|n| n <= 65535)
    };
    let is_label = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let fits = name.starts_with('[') || !name.is_empty() && name.bytes().all(is_label);
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    (fits && port).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{is_trusted, name_of};

    #[test]
    fn hosts_and_what_are_none() {
        for (host, name) in [
            ("a", "a"),
            ("example.org", "example.org"),
            ("Example.org:8080", "Example.org"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:db8::1]:65535", "[2001:db8::1]"),
            ("x_y", "x_y"),
        ] {
            assert_eq!(name_of(host), Some(name));
        }
        for host in [
            "",
            ":80",
            "a:",
            "a:0",
            "a:080",
            "a:65536",
            "a:x",
            "a:1:2",
            "a b",
            "a/b",
            "a@b",
            "a,b",
            "é",
            "[",
            "[]",
            "[::1",
            "[::1]x",
            "[a]",
            "[::1%25e]",
            "a\\b",
            "<invalid>",
        ] {
            assert_eq!(name_of(host), None, "{host}");
        }
    }

    #[test]
    fn trusted_names() {
        for (name, known, trusted) in [
            ("e.test", "e.test", true),
            ("E.test", "e.TEST", true),
            ("e.test", "e.test:5000", true),
            ("x.e.test", "e.test", false),
            ("x.e.test", ".e.test", true),
            ("e.test", ".e.test", true),
            ("xe.test", ".e.test", false),
            ("test", ".e.test", false),
            ("e.test.evil", ".e.test", false),
        ] {
            assert_eq!(is_trusted(name, known), trusted, "{name} {known}");
        }
    }
}
