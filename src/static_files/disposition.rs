//! `Content-Disposition` (RFC 6266): under which name a file is saved, and whether.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;

use crate::header_set::quote;

/// What RFC 5987 section 3.2.1 lets stand.
const ENCODE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `inline; filename=name`, quoted where the name is no token, and as RFC 5987 says where it is not ASCII; then the plain
/// name is what is left of it without its accents.
pub(super) fn disposition(attachment: bool, name: &str) -> String {
    let kind = if attachment { "attachment" } else { "inline" };
    // No header can carry these, and no name needs them.
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if name.is_ascii() {
        return format!("{kind}; filename={}", quote(&name));
    }
    let plain: String = name.nfkd().filter(char::is_ascii).collect();
    format!("{kind}; filename={}; filename*=UTF-8''{}", quote(&plain), utf8_percent_encode(&name, ENCODE))
}
