//! What the browser shows when there is nothing to serve.

use std::process::ExitStatus;

use crate::app::SetupErrors;
use crate::request::Request;
use crate::response::{Response, escape_html};
use crate::service::Service;

/// One page for whatever is asked: 500, with what is wrong.
pub(in crate::run) struct Page {
    title: &'static str,
    text: String,
}

/// The compiler's text that is shown at most: its end.
const LONGEST: usize = 256 * 1024;

pub(super) fn not_built(said: &[u8]) -> Page {
    let said = &said[said.len().saturating_sub(LONGEST)..];
    Page { title: "The program does not compile", text: without_escapes(&String::from_utf8_lossy(said)) }
}

pub(super) fn not_started(error: &std::io::Error) -> Page {
    Page { title: "The program does not start", text: error.to_string() }
}

pub(super) fn ended(status: ExitStatus) -> Page {
    Page { title: "The program has ended", text: format!("{status}: the terminal says why.") }
}

/// For the child, whose set-up has mistakes.
pub(in crate::run) fn failed_setup(error: &SetupErrors) -> Page {
    // The terminal is where people look first.
    log::error!("{error}");
    Page { title: "The app's set-up has mistakes", text: error.to_string() }
}

impl Service for Page {
    fn call(&self, _: Request) -> Response {
        let page = format!(
            "<!doctype html><html lang=en><title>{title}</title><meta name=viewport content=\"width=device-width\">\
             <style>body{{font-family:sans-serif;margin:2em}}pre{{white-space:pre-wrap;background:#f4f4f4;padding:1em}}\
             </style><h1>{title}</h1><pre>{}</pre><p>It is tried again when a file changes.",
            escape_html(&self.text),
            title = self.title,
        );
        Response::html(page).with_status(500).with_header("cache-control", "no-store")
    }
}

/// Without what colours a terminal: `ESC [ … letter`.
fn without_escapes(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
        } else if chars.next() == Some('[') {
            let _ = chars.by_ref().find(|c| ('@'..='~').contains(c));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_text() {
        let page = not_built(b"\x1b[1;31merror\x1b[0m: expected `<T>`\x1b");
        let response = page.call(Request::get("/"));
        assert_eq!(response.status(), 500);
        let text = String::from_utf8(response.into_body().into_bytes().unwrap().to_vec()).unwrap();
        assert!(text.contains("<pre>error: expected `&lt;T&gt;`</pre>"), "{text}");
    }
}
