//! What headers are made of: lists, values with parameters, quoted text. Read as leniently as Werkzeug reads them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// So many items of one list are read, and those behind them are not: each may be compared with others.
pub(crate) const MOST_ITEMS: usize = 256;

/// So many parameters of one value are read.
pub(crate) const MOST_PARAMETERS: usize = 64;

/// Names with their values, in the order they came; each name once.
pub(crate) type Parameters = Vec<(String, String)>;

/// A header's value as text: what is no ASCII is read as Latin-1, as WSGI does. So it is never lost, and never fails.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(latin1(value.as_bytes())),
    }
}

/// All lines of a header as one list (RFC 9110 section 5.3).
pub(crate) fn joined(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, str>> {
    let mut lines = headers.get_all(name).iter();
    let first = text(lines.next()?);
    let Some(second) = lines.next() else { return Some(first) };
    let mut all = first.into_owned();
    for line in std::iter::once(second).chain(lines) {
        all.push(',');
        all.push_str(&text(line));
    }
    Some(Cow::Owned(all))
}

pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The items between commas, without the quotes around a whole one; none where a quote is not closed.
pub(crate) fn list(value: &str) -> Vec<Cow<'_, str>> {
    let mut items = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    let mut add = |item| {
        let item = trim(item);
        if !item.is_empty() && items.len() < MOST_ITEMS {
            items.push(unquote(item));
        }
    };
    for (i, b) in value.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                add(&value[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Vec::new();
    }
    add(&value[start..]);
    items
}

/// A list of `name=value`; a name alone has no value. A `name*=utf-8''…` is decoded (RFC 8187).
pub(crate) fn dict(value: &str) -> Vec<(String, Option<String>)> {
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    for item in list(value).into_iter().take(MOST_PARAMETERS) {
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (trim(name), Some(trim(value))),
            None => (trim(&item), None),
        };
        if name.is_empty() {
            continue;
        }
        let (name, value) = match (name.strip_suffix('*'), value) {
            (Some(plain), Some(value)) => (plain, Some(unquote(&extended(value, None).0).into_owned())),
            (_, value) => (name, value.map(|value| unquote(value).into_owned())),
        };
        match pairs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => pairs.push((name.to_owned(), value)),
        }
    }
    pairs
}

/// A value and its parameters: `form-data; name="a"; filename*=utf-8''%C3%A9`. Names become lower case; parts that are
/// no parameter are skipped. Continuations (`name*0=…; name*1=…`) are put together.
pub(crate) fn options(value: &str) -> (&str, Parameters) {
    let (value, rest) = value.split_once(';').unwrap_or((value, ""));
    let (value, rest) = (trim(value), trim(rest));
    if value.is_empty() || rest.is_empty() {
        return (value, Vec::new());
    }
    (value, decode(raw_parameters(rest)))
}

/// The parameters with their values as they stand, quotes and all.
fn raw_parameters(rest: &str) -> Vec<(String, &str)> {
    let bytes = rest.as_bytes();
    let tokens_at = |at: usize| bytes[at..].iter().take_while(|b| is_token_byte(**b)).count();
    let (mut parts, mut at) = (Vec::new(), 0);
    while at < bytes.len() && parts.len() < MOST_PARAMETERS {
        let name = tokens_at(at);
        if name > 0 && bytes.get(at + name) == Some(&b'=') {
            let key = rest[at..at + name].to_ascii_lowercase();
            at += name + 1;
            let token = tokens_at(at);
            if token > 0 {
                parts.push((key, &rest[at..at + token]));
                at += token;
            } else if bytes.get(at) == Some(&b'"') {
                let Some(len) = quoted_len(&bytes[at..]) else { break };
                parts.push((key, &rest[at..at + len]));
                at += len;
            }
        }
        match memchr::memchr(b';', &bytes[at..]) {
            Some(next) => at += next + 1,
            None => break,
        }
        at += bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    }
    parts
}

/// The length of the quoted text that begins here, with its quotes.
fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut i = 1;
    loop {
        match bytes.get(i..)? {
            [b'\\', b'\\' | b'"', ..] => i += 2,
            [b'"', ..] => return Some(i + 1),
            [_, ..] => i += 1,
            [] => return None,
        }
    }
}

fn decode(parts: Vec<(String, &str)>) -> Parameters {
    let mut plain: Parameters = Vec::new();
    let mut continued: Vec<(String, String, Option<Charset>)> = Vec::new();
    for (name, value) in parts {
        let (name, numbered, marked) = marks(&name);
        let at = continued.iter().position(|(known, ..)| known == name);
        let (value, charset) = if marked {
            let earlier = at.filter(|_| numbered).and_then(|at| continued[at].2);
            extended(value, earlier)
        } else {
            // Browsers write a quote in a file's name as `%22`; others escape it.
            (Cow::Owned(unquote(value).replace("%22", "\"")), None)
        };
        if numbered {
            plain.retain(|(known, _)| known != name);
            match at {
                Some(at) => {
                    continued[at].1.push_str(&value);
                    continued[at].2 = charset.or(continued[at].2);
                }
                None => continued.push((name.to_owned(), value.into_owned(), charset)),
            }
        } else {
            continued.retain(|(known, ..)| known != name);
            match plain.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = value.into_owned(),
                None => plain.push((name.to_owned(), value.into_owned())),
            }
        }
    }
    plain.extend(continued.into_iter().map(|(name, value, _)| (name, value)));
    plain
}

/// `name*0*` is `name`, a numbered piece, with a mark that says that its value is encoded.
fn marks(name: &str) -> (&str, bool, bool) {
    let (rest, marked) = name.strip_suffix('*').map_or((name, false), |rest| (rest, true));
    let stem = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    match stem.strip_suffix('*') {
        Some(stem) if stem.len() + 1 < rest.len() => (stem, true, marked),
        _ => (rest, false, marked),
    }
}

/// What Werkzeug decodes; anything else stays as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Ascii,
    Utf8,
    Latin1,
}

impl Charset {
    pub(crate) fn named(name: &str) -> Option<Charset> {
        match name.to_ascii_lowercase().as_str() {
            "ascii" | "us-ascii" => Some(Charset::Ascii),
            "utf-8" => Some(Charset::Utf8),
            "iso-8859-1" => Some(Charset::Latin1),
            _ => None,
        }
    }

    /// What has no meaning in the charset becomes U+FFFD.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Charset::Latin1 => latin1(bytes),
            Charset::Ascii => {
                bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { char::REPLACEMENT_CHARACTER }).collect()
            }
        }
    }
}

/// `utf-8'en'%C3%A9`, or a later piece of one whose charset is known from before.
fn extended(value: &str, earlier: Option<Charset>) -> (Cow<'_, str>, Option<Charset>) {
    let mut pieces = value.splitn(3, '\'');
    let token = |text: &str| text.bytes().all(is_token_byte);
    let split = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(language), Some(rest))
            if token(charset) && token(language) && token(rest) && !rest.is_empty() =>
        {
            Some((charset, rest))
        }
        _ => None,
    };
    let (named, value) = split.unwrap_or(("", value));
    let charset = if named.is_empty() { earlier } else { Charset::named(named) };
    match charset {
        Some(charset) => {
            let bytes: Vec<u8> = percent_encoding::percent_decode_str(value).collect();
            (Cow::Owned(charset.decode(&bytes)), Some(charset))
        }
        None => (Cow::Borrowed(value), None),
    }
}

/// Without the quotes around it and the escapes in it; what is not quoted stays. Only quotes and backslashes are
/// escaped: some clients write `C:\x.txt` as it is.
pub(crate) fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let (mut plain, mut chars) = (String::with_capacity(inner.len()), inner.chars().peekable());
    while let Some(c) = chars.next() {
        let escaped = (c == '\\').then(|| chars.next_if(|c| matches!(c, '"' | '\\'))).flatten();
        plain.push(escaped.unwrap_or(c));
    }
    Cow::Owned(plain)
}

/// As it stands in a header: a token as it is, if that is allowed, and anything else in quotes.
pub(crate) fn quote(value: &str, tokens: bool) -> Cow<'_, str> {
    if tokens && !value.is_empty() && value.bytes().all(is_token_byte) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (header, items) in [
            ("", &[][..]),
            ("a, b,,c ", &["a", "b", "c"]),
            (r#"token, "quoted, value""#, &["token", "quoted, value"]),
            (r#"a="b, c", d"#, &[r#"a="b, c""#, "d"]),
            (r#""a\"b""#, &["a\"b"]),
            (r#"a, "b"#, &[]),
            ("\t a \t,\tb", &["a", "b"]),
        ] {
            assert_eq!(list(header), items, "{header}");
        }
        assert_eq!(list(&"a,".repeat(100_000)).len(), MOST_ITEMS);
    }

    #[test]
    fn values_with_parameters() {
        for (header, value, parameters) in [
            ("text/html", "text/html", &[][..]),
            ("text/html; charset=UTF-8", "text/html", &[("charset", "UTF-8")]),
            ("text/html;Charset=\"UTF-8\" ; a = b; c=d", "text/html", &[("charset", "UTF-8"), ("c", "d")]),
            ("; a=b", "", &[]),
            (r#"x; a="b\"c\\"; d="%22""#, "x", &[("a", "b\"c\\"), ("d", "\"")]),
            (r#"x; a="open; b=c"#, "x", &[]),
            ("x; a=1; a=2", "x", &[("a", "2")]),
            ("x; filename*=utf-8''%C3%A9.txt", "x", &[("filename", "é.txt")]),
            ("x; filename*=UTF-8'en'a%20b; filename=c", "x", &[("filename", "c")]),
            ("x; filename*=iso-8859-1''%E9", "x", &[("filename", "é")]),
            ("x; filename*=utf-16''%E9", "x", &[("filename", "%E9")]),
            ("x; filename*=utf-8''%FF", "x", &[("filename", "\u{fffd}")]),
            ("x; a*0=b; a*1=c", "x", &[("a", "bc")]),
            ("x; a*0*=utf-8''%C3%A9; a*1*=%C3%A8; a*2=%C3", "x", &[("a", "éè%C3")]),
            ("x; =b; c; d=e", "x", &[("d", "e")]),
            ("x; a=", "x", &[]),
            (r#"x; a="é""#, "x", &[("a", "é")]),
            (r#"x; a=é; b=c"#, "x", &[("b", "c")]),
        ] {
            let (got, options) = options(header);
            assert_eq!(got, value, "{header}");
            let pairs: Vec<_> = options.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(pairs, parameters, "{header}");
        }
        assert_eq!(options(&format!("x{}", "; a=b".repeat(100_000))).1.len(), 1);
    }

    #[test]
    fn quotes_are_undone() {
        for text in ["", "a", "a b", "\"", "\\", "a\\\"b", "é"] {
            assert_eq!(unquote(&quote(text, true)), text);
            assert_eq!(unquote(&quote(text, false)), text);
        }
        assert_eq!(quote("a-b", true), "a-b");
        assert_eq!(quote("", true), "\"\"");
        assert_eq!(unquote("\"a\\"), "\"a\\");
    }
}
