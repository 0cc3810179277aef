//! Where a response sends the client: an IRI as a URI.

use percent_encoding::{AsciiSet, utf8_percent_encode};

use crate::url_escapes::{AUTH, PATH};

const QUERY: &AsciiSet = &PATH.remove(b'?');
const FRAGMENT: &AsciiSet = &QUERY.remove(b'#');

/// Percent-encodes what may not stand in a `Location`, and leaves what is already encoded as it is (RFC 3987 section 3.1;
/// Werkzeug's `iri_to_uri`). A host that is not ASCII is written in Punycode. Line breaks and tabs are left out, as
/// browsers do.
pub(super) fn encode(location: &str) -> String {
    let mut plain = location.trim_start_matches(|c: char| c <= ' ').to_owned();
    plain.retain(|c| !matches!(c, '\r' | '\n' | '\t'));
    let (rest, fragment) = plain.split_once('#').unwrap_or((&plain, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, rest),
    };
    let mut uri = String::with_capacity(plain.len());
    let path = match (scheme, rest.strip_prefix("//")) {
        (Some(scheme), _) => {
            uri.push_str(&scheme.to_ascii_lowercase());
            uri.push_str("://");
            authority(&mut uri, rest)
        }
        (None, Some(rest)) => {
            uri.push_str("//");
            authority(&mut uri, rest)
        }
        (None, None) => rest,
    };
    uri.extend(utf8_percent_encode(path, PATH));
    if !query.is_empty() {
        uri.push('?');
        uri.extend(utf8_percent_encode(query, QUERY));
    }
    if !fragment.is_empty() {
        uri.push('#');
        uri.extend(utf8_percent_encode(fragment, FRAGMENT));
    }
    uri
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Writes user, host and port; gives back what is behind them.
fn authority<'r>(uri: &mut String, rest: &'r str) -> &'r str {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if let Some(user) = user {
        let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        uri.extend(utf8_percent_encode(name, AUTH));
        if let Some(password) = password {
            uri.push(':');
            uri.extend(utf8_percent_encode(password, AUTH));
        }
        uri.push('@');
    }
    const HOST: &AsciiSet = &AUTH.remove(b':').remove(b'[').remove(b']');
    for (i, label) in host.split('.').enumerate() {
        if i > 0 {
            uri.push('.');
        }
        if label.is_ascii() {
            uri.extend(utf8_percent_encode(&label.to_ascii_lowercase(), HOST));
            continue;
        }
        // Only the last label may have a port behind it.
        let (label, port) = label.split_at(label.find(':').unwrap_or(label.len()));
        uri.push_str("xn--");
        uri.extend(utf8_percent_encode(&punycode(&label.to_lowercase()), HOST));
        uri.extend(utf8_percent_encode(port, HOST));
    }
    path
}

/// RFC 3492 section 6.3. Numbers that would not fit end the label, which is then nobody's.
fn punycode(label: &str) -> String {
    const BASE: u32 = 36;
    let mut output: String = label.chars().filter(char::is_ascii).collect();
    let basic = output.len() as u32;
    if basic > 0 {
        output.push('-');
    }
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let (mut least, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    // No name has labels of more than 63 bytes (RFC 1035 section 2.3.4).
    while (handled as usize) < points.len().min(63) {
        let Some(next) = points.iter().copied().filter(|point| *point >= least).min() else { break };
        let Some(skipped) = (next - least).checked_mul(handled + 1).and_then(|more| delta.checked_add(more)) else {
            break;
        };
        (least, delta) = (next, skipped);
        for point in &points {
            if *point < least {
                delta = delta.saturating_add(1);
            }
            if *point != least {
                continue;
            }
            let mut q = delta;
            for k in (BASE..).step_by(BASE as usize) {
                let t = k.saturating_sub(bias).clamp(1, 26);
                if q < t {
                    break;
                }
                output.push(digit(t + (q - t) % (BASE - t)));
                q = (q - t) / (BASE - t);
            }
            output.push(digit(q));
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta = delta.saturating_add(1);
        least += 1;
    }
    output
}

fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}
