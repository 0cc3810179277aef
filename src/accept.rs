//! What a client would like to get: the `Accept` headers, and which of one's own it likes best (RFC 9110 section 12.5).

use std::fmt;

use crate::header_parts;

/// One of the headers `Accept`, `Accept-Charset`, `Accept-Encoding` and `Accept-Language`, as Werkzeug reads it: the most
/// specific entries first, of those the best liked, of those the first.
///
/// Entries whose quality is no number from 0 to 1 are left out, and so are those behind the first 256.
///
/// ```
/// use dewar::Request;
///
/// let request = Request::get("/").with_header("accept", "text/*;q=0.8, application/json, */*;q=0.1");
/// let accept = request.accept_mimetypes();
/// assert_eq!(accept.best_match(["text/html", "application/json"]), Some("application/json"));
/// assert_eq!(accept.best_match(["text/html", "image/png"]), Some("text/html"));
/// assert_eq!(accept.quality("text/html"), 0.8);
///
/// let request = Request::get("/").with_header("accept-language", "de-AT, en;q=0.5");
/// assert_eq!(request.accept_languages().best_match(["en", "de"]), Some("en"));
/// assert_eq!(request.accept_languages().best_match(["de", "fr"]), Some("de"));
/// ```
#[derive(Clone, PartialEq)]
pub struct Accept {
    kind: Kind,
    provided: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mimetypes,
    Charsets,
    Encodings,
    Languages,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    value: String,
    quality: f64,
    /// The value as it is compared.
    parts: Vec<String>,
    /// Which parts of the value are no `*`. The greater, the more it says.
    specificity: Vec<bool>,
}

impl Accept {
    /// Reads an `Accept` header.
    pub fn mimetypes(header: &str) -> Accept {
        Accept::parse(Kind::Mimetypes, header)
    }

    /// Reads an `Accept-Charset` header.
    pub fn charsets(header: &str) -> Accept {
        Accept::parse(Kind::Charsets, header)
    }

    /// Reads an `Accept-Encoding` header.
    pub fn encodings(header: &str) -> Accept {
        Accept::parse(Kind::Encodings, header)
    }

    /// Reads an `Accept-Language` header.
    pub fn languages(header: &str) -> Accept {
        Accept::parse(Kind::Languages, header)
    }

    /// An empty header is none.
    fn parse(kind: Kind, header: &str) -> Accept {
        let entries = header_parts::list(header).iter().filter_map(|item| entry(kind, item)).collect();
        Accept { kind, provided: !header.is_empty(), entries: sorted(entries) }
    }

    /// Whether the client sent the header at all. Without it nothing matches, though everything would do.
    pub fn is_provided(&self) -> bool {
        self.provided
    }

    /// The one of `matches` that the client likes best: by quality, then by how specific the entry is that it matches,
    /// then by their own order. `None` when it takes none of them, or did not send the header.
    ///
    /// Languages that do not match as they are may match by their first part, the client's first (`de-AT` takes `de`),
    /// then one's own (`de` takes `de-AT`).
    pub fn best_match<'m>(&self, matches: impl IntoIterator<Item = &'m str>) -> Option<&'m str> {
        if self.kind != Kind::Languages {
            return self.best_of(matches);
        }
        let matches: Vec<&str> = matches.into_iter().collect();
        if let Some(exact) = self.best_of(matches.iter().copied()) {
            return Some(exact);
        }
        let broad = self.entries.iter().map(|e| new_entry(Kind::Encodings, primary(&e.value), e.quality));
        let broad = Accept { kind: Kind::Encodings, provided: true, entries: sorted(broad.collect()) };
        if let Some(broad) = broad.best_of(matches.iter().copied()) {
            return Some(broad);
        }
        let best = self.best_of(matches.iter().map(|own| primary(own)))?;
        matches.into_iter().find(|own| own.starts_with(best))
    }

    fn best_of<'m>(&self, matches: impl IntoIterator<Item = &'m str>) -> Option<&'m str> {
        let mut best: Option<(&str, &Entry)> = None;
        for own in matches {
            let Some(entry) = self.find(own).filter(|entry| entry.quality > 0.0) else { continue };
            let better = best.is_none_or(|(_, known)| {
                entry.quality > known.quality || entry.quality == known.quality && entry.specificity > known.specificity
            });
            if better {
                best = Some((own, entry));
            }
        }
        best.map(|(own, _)| own)
    }

    /// How much the client likes this, from 0 to 1; 0 when no entry matches.
    pub fn quality(&self, value: &str) -> f64 {
        self.find(value).map_or(0.0, |entry| entry.quality)
    }

    /// Whether an entry matches this, be it one with the quality 0 (as in Werkzeug).
    pub fn contains(&self, value: &str) -> bool {
        self.find(value).is_some()
    }

    fn find(&self, value: &str) -> Option<&Entry> {
        if self.entries.is_empty() {
            return None;
        }
        let parts = parts(self.kind, value);
        self.entries.iter().find(|entry| self.kind.matches(&parts, entry))
    }

    /// The first entry's value: what the client likes best of what it named.
    pub fn best(&self) -> Option<&str> {
        self.entries.first().map(|entry| entry.value.as_str())
    }

    /// The entries with their qualities, in the order described above.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.entries.iter().map(|entry| (entry.value.as_str(), entry.quality))
    }

    /// The entries' values.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(value, _)| value)
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Of media types: whether HTML is taken, be it as XHTML.
    pub fn accept_html(&self) -> bool {
        self.contains("text/html") || self.accept_xhtml()
    }

    /// Of media types: whether XHTML is taken.
    pub fn accept_xhtml(&self) -> bool {
        self.contains("application/xhtml+xml") || self.contains("application/xml")
    }

    /// Of media types: whether JSON is taken.
    pub fn accept_json(&self) -> bool {
        self.contains("application/json")
    }
}

impl Kind {
    fn matches(self, own: &[String], entry: &Entry) -> bool {
        if self != Kind::Mimetypes {
            return entry.value == "*" || own == entry.parts;
        }
        let ([own_type, own_subtype, own_parameters @ ..], [their_type, their_subtype, parameters @ ..]) =
            (own, entry.parts.as_slice())
        else {
            return false; // no slash
        };
        let (own_any, any) = (own_subtype == "*", their_subtype == "*");
        if own_type == "*" && !own_any || their_type == "*" && !any {
            return false; // `*/html` means nothing
        }
        own_type == "*"
            || their_type == "*"
            || own_type == their_type
                && (any || own_any || own_subtype == their_subtype && own_parameters == parameters)
    }
}

/// One item of the header.
fn entry(kind: Kind, item: &str) -> Option<Entry> {
    let (value, mut parameters) = header_parts::options(item);
    let quality = match parameters.iter().position(|(name, _)| name == "q") {
        Some(at) => quality(&parameters.remove(at).1)?,
        None => 1.0,
    };
    let mut value = value.to_owned();
    for (name, parameter) in parameters {
        value.push_str(&format!("; {name}={}", header_parts::quote(&parameter, true)));
    }
    Some(new_entry(kind, &value, quality))
}

fn new_entry(kind: Kind, value: &str, quality: f64) -> Entry {
    let specificity = match kind {
        Kind::Mimetypes => mime_pieces(value).map(|piece| piece != "*").collect(),
        _ => vec![value != "*"],
    };
    Entry { value: value.to_owned(), quality, parts: parts(kind, value), specificity }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    // Stable, so the client's order is the last word.
    entries.sort_by(|a, b| b.specificity.cmp(&a.specificity).then_with(|| b.quality.total_cmp(&a.quality)));
    entries
}

/// `1`, `0.5`: digits, and more behind a point. Anything else, and what is not from 0 to 1, is no quality.
fn quality(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t']);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    text.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))
}

fn mime_pieces(value: &str) -> impl Iterator<Item = &str> {
    value.split(';').enumerate().flat_map(|(i, piece)| {
        let piece = piece.trim_end_matches([' ', '\t']);
        let piece = if i > 0 { piece.trim_start_matches([' ', '\t']) } else { piece };
        piece.split('/')
    })
}

/// A value as it is compared: without case, parameters in order.
fn parts(kind: Kind, value: &str) -> Vec<String> {
    let lower = value.to_ascii_lowercase();
    match kind {
        Kind::Mimetypes if !lower.contains('/') => Vec::new(),
        Kind::Mimetypes => {
            let mut parts: Vec<String> = mime_pieces(&lower).map(str::to_owned).collect();
            if let [_, _, parameters @ ..] = parts.as_mut_slice() {
                parameters.sort();
            }
            parts
        }
        Kind::Charsets => vec![charset(&lower)],
        Kind::Encodings => vec![lower],
        Kind::Languages => lower.split(['-', '_']).map(str::to_owned).collect(),
    }
}

/// A charset's one name among the usual ones, of those that have several.
fn charset(lower: &str) -> String {
    let name = lower.replace(['_', ' '], "-");
    match name.as_str() {
        "utf8" | "u8" | "utf" | "utf8-ucs4" | "cp65001" => "utf-8".to_owned(),
        "utf16" | "u16" => "utf-16".to_owned(),
        "utf32" | "u32" => "utf-32".to_owned(),
        "us-ascii" | "646" | "us" | "ansi-x3.4-1968" => "ascii".to_owned(),
        "latin" | "latin1" | "latin-1" | "l1" | "8859" | "cp819" | "iso8859" => "iso8859-1".to_owned(),
        _ => {
            let renamed = [("iso-8859-", "iso8859-"), ("windows-", "cp"), ("windows", "cp")];
            let found = renamed.into_iter().find_map(|(from, to)| Some(format!("{to}{}", name.strip_prefix(from)?)));
            found.unwrap_or(name)
        }
    }
}

fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or(language)
}

/// As a header: `text/html,*/*;q=0.1`.
impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (value, quality)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match quality {
                1.0 => write!(f, "{comma}{value}")?,
                _ => write!(f, "{comma}{value};q={quality:?}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.kind)?;
        f.debug_list().entries(self.iter()).finish()
    }
}
