//! The cases of a topic: `cases.txt`. README.md has the format.

use std::collections::HashSet;
use std::path::Path;

/// One request, sent to both sides.
#[derive(Debug, Default, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// The cookie jar that it uses: each side has its own of this name.
    pub(crate) jar: Option<String>,
    /// Each side gets the cookies of the other one's jar.
    pub(crate) swap: bool,
    /// What Flask answers; without it anything below 400.
    pub(crate) expected: Option<u16>,
    pub(crate) method: String,
    target: Vec<u8>,
    version: String,
    headers: Vec<Vec<u8>>,
    body: Vec<u8>,
}

/// Reads `cases.txt`.
///
/// # Errors
/// The file and line of what is wrong.
pub(crate) fn read(path: &Path) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|(line, what)| format!("{}:{line}: {what}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Case>, (usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &str| line.starts_with("== ") || line.starts_with("= ");
    let mut cases: Vec<Case> = Vec::new();
    let mut names = HashSet::new();
    let mut at = 0;
    while at < lines.len() {
        let end = (at + 1..lines.len()).find(|&i| begins(lines[i])).unwrap_or(lines.len());
        if begins(lines[at]) {
            let case = one(at + 1, &lines[at..end])?;
            if !names.insert(case.name.clone()) {
                return Err((at + 1, format!("a second case `{}`: give it a name of its own", case.name)));
            }
            cases.push(case);
        } else if let Some(stray) = lines[at..end].iter().position(|line| !line.is_empty() && !line.starts_with('#')) {
            return Err((at + stray + 1, "a case begins with `== name` or `= METHOD target`".into()));
        }
        at = end;
    }
    Ok(cases)
}

fn one(line: usize, lines: &[&str]) -> Result<Case, (usize, String)> {
    let mut case = Case { line, ..Case::default() };
    let mut rest = lines[1..].iter().copied().enumerate().map(|(i, text)| (line + i + 1, text)).peekable();
    let mut crlf = false;
    let request = match lines[0].strip_prefix("= ") {
        Some(request) => {
            case.name = request.split(" -> ").next().unwrap_or(request).trim().to_owned();
            (line, request)
        }
        None => {
            case.name = lines[0][3..].trim().to_owned();
            while let Some((at, option)) = rest.next_if(|(_, text)| text.starts_with('@')) {
                match option[1..].trim().split_once(' ').unwrap_or((option[1..].trim(), "")) {
                    ("jar", name) if !name.is_empty() => case.jar = Some(name.to_owned()),
                    ("swap", "") => case.swap = true,
                    ("crlf", "") => crlf = true,
                    _ => return Err((at, format!("`{option}` is none of `@ jar NAME`, `@ swap`, `@ crlf`"))),
                }
            }
            rest.next().ok_or((line, "the request line is missing".to_owned()))?
        }
    };
    if case.swap && case.jar.is_none() {
        return Err((line, "`@ swap` needs `@ jar NAME`".into()));
    }
    request_line(&mut case, request)?;
    while let Some((at, header)) = rest.next_if(|(_, text)| !text.is_empty() && !text.starts_with("# ")) {
        if !header.contains(':') {
            return Err((at, "a header is `Name: value`; an empty line is before the body".into()));
        }
        case.headers.push(unescape(header));
    }
    let body: Vec<&str> = rest.skip(1).map(|(_, text)| text).filter(|text| !text.starts_with("# ")).collect();
    let body = body.join(if crlf { "\r\n" } else { "\n" });
    // The empty lines before the next case are not the body's.
    case.body = unescape(body.trim_end_matches(['\r', '\n']));
    if crlf && !case.body.is_empty() {
        case.body.extend(b"\r\n");
    }
    Ok(case)
}

fn request_line(case: &mut Case, (line, text): (usize, &str)) -> Result<(), (usize, String)> {
    let (request, expected) = text.split_once(" -> ").map_or((text, None), |(r, status)| (r, Some(status.trim())));
    if let Some(status) = expected {
        case.expected = Some(status.parse().map_err(|_| (line, format!("`{status}` is no status")))?);
    }
    let mut words = request.split_whitespace();
    let (Some(method), Some(target), version, None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err((line, "a request line is `METHOD target`, and may have a version and ` -> STATUS`".into()));
    };
    case.method = method.to_owned();
    case.target = unescape(target);
    case.version = version.unwrap_or("HTTP/1.1").to_owned();
    Ok(())
}

/// `\xHH` is a byte; any other backslash is itself.
fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes[at..].strip_prefix(b"\\x").and_then(|rest| std::str::from_utf8(rest.get(..2)?).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

impl Case {
    /// The bytes on the wire: `Host`, `Connection: close` and the body's length are added where they are not written.
    pub(crate) fn bytes(&self, cookie: Option<&str>) -> Vec<u8> {
        let has = |name: &str| {
            let named =
                |header: &[u8]| header.len() > name.len() && header[..name.len()].eq_ignore_ascii_case(name.as_bytes());
            self.headers.iter().any(|header| named(header) && header[name.len()] == b':')
        };
        let mut out = [self.method.as_bytes(), b" ", &self.target, b" ", self.version.as_bytes(), b"\r\n"].concat();
        if !has("host") {
            out.extend(b"Host: localhost\r\n");
        }
        for header in &self.headers {
            out.extend(header);
            out.extend(b"\r\n");
        }
        if let Some(cookie) = cookie {
            out.extend(format!("Cookie: {cookie}\r\n").bytes());
        }
        if !self.body.is_empty() && !has("content-length") && !has("transfer-encoding") {
            out.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
        }
        out.extend(b"Connection: close\r\n\r\n");
        out.extend(&self.body);
        out
    }
}
