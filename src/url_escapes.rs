//! What is written with a percent sign in URLs, and what is not (RFC 3986 section 3; the same choices as Werkzeug's).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but letters, digits, and the marks that are never escaped.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// In what stands before a host's `@`; what is escaped already stays.
pub(crate) const AUTH: &AsciiSet = &UNRESERVED
    .remove(b'%')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// In a path; what is escaped already stays.
pub(crate) const PATH: &AsciiSet = &AUTH.remove(b'/').remove(b':').remove(b'@');

/// In a path that is not escaped yet.
pub(crate) const RAW_PATH: &AsciiSet = &PATH.add(b'%');
