//! What a file's name says: its type, how it is compressed, whether it is a device of Windows.

/// The type and the encoding of a name: `data.csv.gz` is a CSV that was compressed (Python's `mimetypes.guess_type`).
pub(super) fn guess_type(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    const SHORT: [(&str, &str, &str); 6] = [
        (".svgz", ".svg", "gzip"),
        (".tgz", ".tar", "gzip"),
        (".taz", ".tar", "gzip"),
        (".tz", ".tar", "gzip"),
        (".tbz2", ".tar", "bzip2"),
        (".txz", ".tar", "xz"),
    ];
    const ENCODINGS: [(&str, &str); 5] =
        [(".gz", "gzip"), (".Z", "compress"), (".bz2", "bzip2"), (".xz", "xz"), (".br", "br")];
    let (stem, ending) = split_ending(name);
    if let Some((_, whole, encoding)) = SHORT.iter().find(|(short, ..)| ending.eq_ignore_ascii_case(short)) {
        return (by_ending(whole), Some(encoding));
    }
    match ENCODINGS.iter().find(|(known, _)| *known == ending) {
        Some((_, encoding)) => (by_ending(split_ending(stem).1), Some(encoding)),
        None => (by_ending(ending), None),
    }
}

/// Where mime_guess has an older name, or one of its own, and Python has that which is registered with IANA, or which its
/// own list and those of the usual systems agree on: so that a site's files keep their types when it moves here.
const AS_PYTHON: [(&str, &str); 16] = [
    ("aif", "audio/x-aiff"),
    ("aifc", "audio/x-aiff"),
    ("aiff", "audio/x-aiff"),
    ("ico", "image/vnd.microsoft.icon"),
    ("m3u8", "application/vnd.apple.mpegurl"), // RFC 8216 section 4
    ("m4a", "audio/mp4"),                      // RFC 4337
    ("mjs", "text/javascript"),                // RFC 9239 section 6.1.1
    ("otf", "font/otf"),                       // RFC 8081 section 4.4.3
    ("py", "text/x-python"),
    ("rar", "application/vnd.rar"),
    ("sql", "application/sql"), // RFC 6922
    ("srt", "text/plain"),
    ("vcf", "text/vcard"), // RFC 6350
    ("wav", "audio/x-wav"),
    ("woff", "font/woff"),      // RFC 8081 section 4.4.5
    ("xml", "application/xml"), // RFC 7303 section 9.1; `text/xml` is its alias
];

fn by_ending(ending: &str) -> Option<&'static str> {
    let ending = ending.strip_prefix('.')?;
    match AS_PYTHON.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)) {
        Some((_, mimetype)) => Some(mimetype),
        None => mime_guess::from_ext(ending).first_raw(),
    }
}

/// `a.b` and `.c` of `a.b.c`. The dots that a name begins with do not make an ending.
fn split_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if !name[..dot].bytes().all(|b| b == b'.') => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Whether Windows takes this part of a path for a device, whatever its ending.
pub(super) fn is_device(part: &str) -> bool {
    let stem = part.split([':', '.']).next().unwrap_or("").trim().to_ascii_uppercase();
    match stem.as_str() {
        "AUX" | "CON" | "CONIN$" | "CONOUT$" | "NUL" | "PRN" => true,
        _ => {
            let digit = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            digit.is_some_and(|digit| {
                digit.chars().count() == 1 && digit.contains(|c| "0123456789\u{b9}\u{b2}\u{b3}".contains(c))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    // Files of these names are there on other systems, so nothing that a client sees tells.
    #[test]
    fn devices() {
        for name in ["con", "NUL.txt", "com1", "LPT9 .x.y", "prn:x", "CONIN$", "aux.", "com\u{b9}"] {
            assert!(super::is_device(name), "{name}");
        }
        for name in ["", "console", "com", "com10", "lptx", "x.con", "nul1"] {
            assert!(!super::is_device(name), "{name}");
        }
    }
}
