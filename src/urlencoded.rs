//! `application/x-www-form-urlencoded`, read as Werkzeug reads it.

use std::borrow::Cow;

/// The pairs of a query string or a form. Pieces that are empty are none; one without `=` has an empty value.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|piece| !piece.is_empty()).map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decode(name), decode(value))
    })
}

/// `+` is a space, an escape its byte. Bytes that are not UTF-8 become escapes again, so that nothing is lost and what
/// was malformed is seen to be.
fn decode(text: &str) -> String {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    let bytes = Cow::from(percent_encoding::percent_decode_str(&spaced));
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        for b in chunk.invalid() {
            decoded.push_str(percent_encoding::percent_encode_byte(*b));
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_werkzeug() {
        for (text, wanted) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("=", &[("", "")]),
            ("=a", &[("", "a")]),
            ("a=b=c&a=d", &[("a", "b=c"), ("a", "d")]),
            ("a+b=c%20d%2B", &[("a b", "c d+")]),
            ("a=%C3%A9&b=é", &[("a", "é"), ("b", "é")]),
            ("a=%FF", &[("a", "%FF")]),
            ("a=%c3", &[("a", "%C3")]),
            ("a=%c3%28", &[("a", "%C3(")]),
            ("a=%E2%82x", &[("a", "%E2%82x")]),
            ("a=%C3é", &[("a", "%C3é")]),
            ("a=%&b=%4&c=%zz&d=%%41", &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%A")]),
            ("a;b=c", &[("a;b", "c")]),
            ("a=%00", &[("a", "\0")]),
        ] {
            let got: Vec<_> = pairs(text).collect();
            let got: Vec<_> = got.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(got, wanted, "{text}");
        }
    }
}
