//! `urlize`: links of what looks like an address.

use minijinja::value::Value;
use minijinja::{Error, State};

use super::Args;
use super::html::{escaped, markup};
use crate::response::escape_html;
use crate::templates::print;

pub(super) fn urlize(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let limit = args.get("trim_url_limit").map(|_| args.number("trim_url_limit", 0)).transpose()?;
    let mut rel: Vec<&str> = args.text("rel", "")?.split_whitespace().chain(["noopener"]).collect();
    if args.is_true("nofollow", false) {
        rel.push("nofollow");
    }
    rel.sort_unstable();
    rel.dedup();
    let mut attributes = format!(" rel=\"{}\"", escape_html(&rel.join(" ")));
    if let Some(target) = args.get("target") {
        attributes.push_str(&format!(" target=\"{}\"", escape_html(&print::text(target))));
    }
    let mut schemes = Vec::new();
    if let Some(extra) = args.get("extra_schemes") {
        for scheme in extra.try_iter()? {
            let text = print::text(&scheme).into_owned();
            let name = text.trim_end_matches('/').strip_suffix(':').unwrap_or("");
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')) {
                return Err(args.wrong("extra_schemes", "schemes such as \"tel:\""));
            }
            schemes.push(text);
        }
    }
    let links = Links { limit, attributes, schemes };
    let text = escaped(value);
    let mut html = String::with_capacity(text.len());
    let mut rest = &*text;
    while !rest.is_empty() {
        let blanks = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        html.push_str(&rest[..blanks]);
        rest = &rest[blanks..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        links.add_word(&mut html, &rest[..end]);
        rest = &rest[end..];
    }
    Ok(markup(state, html))
}

struct Links {
    /// How long a link's text may be.
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

impl Links {
    /// `word` is HTML, and has no blanks.
    fn add_word(&self, html: &mut String, word: &str) {
        let (head, middle) = word.split_at(beginning(word));
        let mut end = middle.len() - ending(middle);
        // Brackets that are opened within the address are closed within it.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = middle[..end].matches(open).count();
            if opened > middle[..end].matches(close).count() {
                for _ in 0..opened.min(middle[end..].matches(close).count()) {
                    end += middle[end..].find(close).map_or(0, |at| at + close.len());
                }
            }
        }
        let (address, tail) = middle.split_at(end);
        html.push_str(head);
        match self.link(address) {
            Some(link) => html.push_str(&link),
            None => html.push_str(address),
        }
        html.push_str(tail);
    }

    fn link(&self, address: &str) -> Option<String> {
        let attributes = &self.attributes;
        if is_web(address) {
            let scheme = if without_scheme(address).is_some() { "" } else { "https://" };
            return Some(format!("<a href=\"{scheme}{address}\"{attributes}>{}</a>", self.shown(address)));
        }
        if let Some(mail) = address.strip_prefix("mailto:").filter(|mail| is_mail(mail)) {
            return Some(format!("<a href=\"{address}\">{mail}</a>"));
        }
        if address.contains('@')
            && !address.starts_with("www.")
            && !address.starts_with('@')
            && !address.contains(':')
            && is_mail(address)
        {
            return Some(format!("<a href=\"mailto:{address}\">{address}</a>"));
        }
        let scheme = self.schemes.iter().find(|scheme| address.len() > scheme.len() && address.starts_with(&***scheme));
        scheme.map(|_| format!("<a href=\"{address}\"{attributes}>{address}</a>"))
    }

    fn shown(&self, address: &str) -> String {
        match self.limit {
            Some(limit) if address.chars().count() > limit => {
                address.chars().take(limit).chain("...".chars()).collect()
            }
            _ => address.to_owned(),
        }
    }
}

/// The length of the brackets that a word begins with.
fn beginning(word: &str) -> usize {
    let mut rest = word;
    while let Some(after) = rest.strip_prefix(['(', '<']).or_else(|| rest.strip_prefix("&lt;")) {
        rest = after;
    }
    word.len() - rest.len()
}

/// The length of the brackets and stops that a word ends with.
fn ending(word: &str) -> usize {
    let mut rest = word;
    while let Some(before) = rest.strip_suffix([')', '>', '.', ',']).or_else(|| rest.strip_suffix("&gt;")) {
        rest = before;
    }
    word.len() - rest.len()
}

fn without_scheme(address: &str) -> Option<&str> {
    let lower = |n: usize| address.get(..n).map(str::to_ascii_lowercase);
    match () {
        () if lower(8).as_deref() == Some("https://") => Some(&address[8..]),
        () if lower(7).as_deref() == Some("http://") => Some(&address[7..]),
        () => None,
    }
}

/// An address of the web, with its scheme, with `www.`, or with one of the old top level domains.
fn is_web(address: &str) -> bool {
    let after = without_scheme(address);
    let www = address.get(..4).filter(|start| start.eq_ignore_ascii_case("www.")).map(|_| &address[4..]);
    if let Some(rest) = after.or(www)
        && let Some(host) = host(rest)
        && (is_domain(host) || (after.is_some() && (is_ipv4(host) || is_ipv6(host))))
    {
        return true;
    }
    let Some((names, top)) = host(address).and_then(|host| host.rsplit_once('.')) else { return false };
    const OLD: [&str; 8] = ["com", "net", "int", "edu", "gov", "org", "info", "mil"];
    OLD.iter().any(|old| top.eq_ignore_ascii_case(old))
        && names.split('.').all(|name| (2..=63).contains(&name.chars().count()) && is_name(name))
}

/// The host of `host:80/path`, when what comes behind it is well formed.
fn host(text: &str) -> Option<&str> {
    let begin = if text.starts_with('[') { text.find(']')? } else { 0 };
    let end = text[begin..].find([':', '/', '?', '#']).map_or(text.len(), |at| begin + at);
    let (host, rest) = text.split_at(end);
    let rest = match rest.strip_prefix(':') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=5).contains(&digits) {
                return None;
            }
            &rest[digits..]
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(host)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '%' | '-'))
}

fn is_domain(host: &str) -> bool {
    let (names, top) = host.rsplit_once('.').map_or((None, host), |(names, top)| (Some(names), top));
    let lower = top.to_ascii_lowercase();
    let letters = (2..=63).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic());
    let coded = lower
        .strip_prefix("xn--")
        .is_some_and(|rest| (2..=59).contains(&rest.len()) && is_name(rest) && !rest.contains('-'));
    (letters || coded) && names.is_none_or(|names| names.split('.').all(is_name))
}

fn is_ipv4(host: &str) -> bool {
    let part = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    host.split('.').count() == 4 && host.split('.').all(part)
}

fn is_ipv6(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.matches(':').count() >= 2 && host.bytes().all(|b| b == b':' || b.is_ascii_hexdigit()))
}

/// `name@host.top`.
fn is_mail(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.rsplit_once('@').is_some_and(|(name, host)| {
        let Some((names, top)) = host.rsplit_once('.') else { return false };
        !name.is_empty()
            && names.starts_with(word)
            && names.chars().all(|c| word(c) || matches!(c, '.' | '-'))
            && !top.is_empty()
            && top.chars().all(word)
    })
}
