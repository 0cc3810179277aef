//! What a case remembers of those before it: cookies, as a browser would for one host, and the last validators.

use crate::wire::Answer;

/// The cookies that one side has set, and the validators that it sent last.
#[derive(Debug, Default, Clone)]
pub(crate) struct Jar {
    cookies: Vec<(String, String)>,
    etag: String,
    last_modified: String,
}

impl Jar {
    /// What goes into `Cookie`; `None` while there is nothing.
    pub(crate) fn header(&self) -> Option<String> {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The request with `{etag}` and `{last-modified}` filled in.
    pub(crate) fn fill(&self, request: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(request) {
            Ok(text) => text.replace("{etag}", &self.etag).replace("{last-modified}", &self.last_modified).into_bytes(),
            Err(error) => error.into_bytes(),
        }
    }

    /// Takes in what an answer sets, and throws away what it takes back.
    pub(crate) fn take(&mut self, answer: &Answer) {
        let last = |name: &str, known: &str| answer.all(name).next().unwrap_or(known).to_owned();
        (self.etag, self.last_modified) = (last("etag", &self.etag), last("last-modified", &self.last_modified));
        for cookie in answer.all("set-cookie") {
            let mut parts = cookie.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
            let gone = parts.any(|part| part == "Max-Age=0");
            self.cookies.retain(|(known, _)| known != name);
            if !gone {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}
