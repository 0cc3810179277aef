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

fn by_ending(ending: &str) -> Option<&'static str> {
    mime_guess::from_ext(ending.strip_prefix('.')?).first_raw()
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
