//! Who a request is for (RFC 9112 section 3.2; RFC 3986 section 3.2.2).

use std::net::Ipv6Addr;

/// Whether this is `uri-host [":" port]`. A comma could be in a host by the grammar, but it is what a list of two hosts
/// looks like; an empty port could stand there too, and nobody sends it.
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
    matches!(digits.len(), 1..=5)
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
