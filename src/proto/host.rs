//! Who a request is for (RFC 9112 section 3.2; RFC 3986 section 3.2.2).

use std::net::Ipv6Addr;

/// Whether this is `uri-host [":" port]`. A comma could be in a host by the grammar, but it is what a list of two hosts
/// looks like. A port may be empty.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let address = std::str::from_utf8(&rest[..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
            let port = match &rest[end + 1..] {
                [] => None,
                [b':', port @ ..] => Some(port),
                _ => return false,
            };
            return address.is_some() && port.is_none_or(is_port);
        }
        _ => match value.iter().position(|byte| *byte == b':') {
            Some(colon) => (&value[..colon], Some(&value[colon + 1..])),
            None => (value, None),
        },
    };
    is_name(host) && port.is_none_or(is_port)
}

fn is_port(digits: &[u8]) -> bool {
    // As many digits as 65535 has: zeros in front of more of them are a riddle.
    digits.len() <= 5
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')) <= 65535
}

fn is_name(mut name: &[u8]) -> bool {
    if name.is_empty() {
        return false;
    }
    while let [first, rest @ ..] = name {
        name = match (first, rest) {
            (b'%', [high, low, rest @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            (b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=', _) => {
                rest
            }
            (byte, _) if byte.is_ascii_alphanumeric() => rest,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_and_perhaps_a_port() {
        for host in [
            "a",
            "example.org",
            "example.org:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:65535",
            "[2001:db8::192.0.2.1]:0",
            "a_b",
            "x--y.z.",
            "%41",
            "a:00080",
            "a~b!$&'()*+;=",
            "a:",
            "[::1]:",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn anything_else() {
        for host in [
            "",
            ":",
            ":80",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:000080",
            "a:99999999999999999999",
            "a:-1",
            "a:+1",
            "a: 80",
            "a b",
            "a,b",
            "u@a",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a\tb",
            "%4",
            "%",
            "%g0",
            "[",
            "[]",
            "[::1",
            "::1",
            "[::1]a",
            "[::1]:x",
            "[1.2.3.4]",
            "[::1%25eth0]",
            "[v1.a]",
            "[::g]",
            "[a]",
            "a[",
            "a]",
            "\u{e9}",
            "a\"",
            "<a>",
            "a\0",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
