//! Where a request goes to, for rules that ask for the host too.

/// A host, or a subdomain, and a path as one text: what [`Router::find_at`](super::Router::find_at) looks for, and what the values of a match are
/// parts of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    text: String,
    path_at: usize,
}

impl Place {
    /// This host, which may be empty, and this path, percent-decoded.
    pub fn new(host: &str, path: &str) -> Place {
        Place { text: format!("{host}{path}"), path_at: host.len() }
    }

    /// Both, without anything in between: for [`Args::get`](super::Args::get).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Both, without anything in between.
    pub fn into_string(self) -> String {
        self.text
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.text[..self.path_at]
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.text[self.path_at..]
    }

    /// Where the path begins.
    pub(super) fn path_at(&self) -> usize {
        self.path_at
    }
}
