//! Names of uploads, made safe.

use unicode_normalization::UnicodeNormalization;

/// A name for a file of what a client called it (Werkzeug's `secure_filename`): ASCII letters, digits, `.`, `_` and `-`
/// only, no folders, no dots at either end. Letters with marks lose them; other scripts are lost, so the result **may be
/// empty**. On Windows a device's name, such as `NUL`, gets a `_` in front.
///
/// It does not look whether there is such a file: what is there is overwritten unless you do.
///
/// ```
/// use dewar::secure_filename;
///
/// assert_eq!(secure_filename("My cool movie.mov"), "My_cool_movie.mov");
/// assert_eq!(secure_filename("../../../etc/passwd"), "etc_passwd");
/// assert_eq!(secure_filename("i contain cool \u{fc}ml\u{e4}uts.txt"), "i_contain_cool_umlauts.txt");
/// assert_eq!(secure_filename("猫"), "");
/// ```
#[must_use]
pub fn secure_filename(filename: &str) -> String {
    let is_separator = |c: char| c == '/' || cfg!(windows) && c == '\\';
    // Python counts the four separators below the space as white space, too.
    let is_space = |c: char| c.is_ascii_whitespace() || matches!(c, '\u{b}' | '\u{1c}'..='\u{1f}');
    let ascii = filename.nfkd().filter(char::is_ascii).map(|c| if is_separator(c) { ' ' } else { c });
    let (mut name, mut gap) = (String::with_capacity(filename.len()), false);
    let mut begun = false;
    for c in ascii {
        if is_space(c) {
            gap = begun;
            continue;
        }
        if std::mem::take(&mut gap) {
            name.push('_');
        }
        begun = true;
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            name.push(c);
        }
    }
    let name = name.trim_matches(['.', '_']);
    if cfg!(windows) && is_device(name) { format!("_{name}") } else { name.to_owned() }
}

/// Windows opens these in every folder, and with any ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => {
            let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            number.is_some_and(|n| n.len() == 1 && matches!(n.as_bytes()[0], b'1'..=b'9'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_device;

    #[test]
    fn devices() {
        for name in ["nul", "NUL.txt", "con", "Aux.tar.gz", "com1", "LPT9.x"] {
            assert!(is_device(name), "{name}");
        }
        for name in ["null", "", "com", "com0", "com10", "lpt", "xnul", "conx.txt"] {
            assert!(!is_device(name), "{name}");
        }
    }
}
