//! Dates as HTTP has them (RFC 9110 section 5.6.7), read and written; and by serde, for JSON that is to have Flask's
//! dates.
//!
//! Flask writes a date in JSON as an HTTP date, and so does a field with this module:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use std::time::{Duration, SystemTime};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Post {
//!     #[serde(with = "dewar::http_date")]
//!     created: SystemTime,
//!     #[serde(with = "dewar::http_date::option")]
//!     edited: Option<SystemTime>,
//! }
//!
//! let post = Post { created: SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777), edited: None };
//! let text = dewar::serde_json::to_string(&post)?;
//! assert_eq!(text, r#"{"created":"Sun, 06 Nov 1994 08:49:37 GMT","edited":null}"#);
//! let post: Post = dewar::serde_json::from_str(&text)?;
//! assert_eq!(post.created, dewar::http_date::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap());
//! # Ok::<(), dewar::Error>(())
//! ```

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serializer};

/// The date, in whole seconds: `Sun, 06 Nov 1994 08:49:37 GMT` (Werkzeug's `http_date`).
///
/// What is before 1970 or after the year 9999 is drawn in to there.
#[must_use]
pub fn format_http_date(at: SystemTime) -> String {
    // `httpdate` panics outside of these.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(at.clamp(SystemTime::UNIX_EPOCH, last))
}

/// Reads a date (Werkzeug's `parse_date`): in the three forms of RFC 9110, and as mails have it, with a zone such as
/// `+0200` or `EST`, and without the weekday. Without a zone it is UTC. The weekday is not checked.
///
/// `None` for anything else, a day that its month does not have, and what is more than 64 bytes long. A year of two
/// digits is one of 1969 to 2068, as in Python.
///
/// ```
/// use dewar::http_date::{format_http_date, parse_http_date};
///
/// let date = parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").unwrap();
/// assert_eq!(format_http_date(date), "Sun, 06 Nov 1994 08:49:37 GMT");
/// assert_eq!(parse_http_date("Sun Nov  6 08:49:37 1994"), Some(date));
/// assert_eq!(parse_http_date("6 Nov 1994 10:49:37 +0200"), Some(date));
/// assert_eq!(parse_http_date("31 Feb 1994 00:00:00 GMT"), None);
/// ```
#[must_use]
pub fn parse_http_date(text: &str) -> Option<SystemTime> {
    if text.len() > 64 {
        return None;
    }
    // The usual form is read without looking around.
    if text.len() == 29
        && text.ends_with(" GMT")
        && let Ok(date) = httpdate::parse_http_date(text)
    {
        return Some(date);
    }
    let mut words: Vec<&str> = text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
    if words.first().is_some_and(|word| is_weekday(word)) {
        words.remove(0);
    }
    let dashed: Vec<&str> = words.first()?.split('-').collect();
    if dashed.len() == 3 {
        words.splice(0..1, dashed);
    }
    let (day, month, year, time, zone) = match *words.as_slice() {
        // As asctime writes it; the zone is the author's own idea.
        [month, day, time, year] | [month, day, time, year, "GMT"]
            if time.contains(':') && number_of(month).is_some() =>
        {
            (day, number_of(month)?, year, time, "")
        }
        [day, month, year, time] => (day, number_of(month)?, year, time, ""),
        [day, month, year, time, zone] => (day, number_of(month)?, year, time, zone),
        _ => return None,
    };
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let year = match year {
        0..=68 => year + 2000,
        69..=99 => year + 1900,
        year => year,
    };
    let mut parts = time.split(if time.contains(':') { ':' } else { '.' });
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
    let fits = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
    if !fits || day == 0 || day > days_in(month, year) {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    let away = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(away) } else { SystemTime::UNIX_EPOCH.checked_add(away) }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A month's number, by its name or the first three letters of it.
fn number_of(month: &str) -> Option<i64> {
    const REST: [&str; 12] = ["uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"];
    let (first, rest) = month.split_at_checked(3)?;
    let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(first))?;
    (rest.is_empty() || rest.eq_ignore_ascii_case(REST[place])).then_some(place as i64 + 1)
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().any(|day| word.eq_ignore_ascii_case(day) || word.eq_ignore_ascii_case(&day[..3]))
}

/// One to `most` digits, and nothing else.
fn number(text: &str, most: usize) -> Option<i64> {
    let digits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Seconds that a zone is ahead of UTC. Names that are not known are taken for UTC, as in Python.
fn offset(zone: &str) -> Option<i64> {
    const HOURS: [(&str, i64); 10] = [
        ("AST", -4),
        ("ADT", -3),
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
    ];
    if let Some(digits) = zone.strip_prefix(['+', '-']) {
        let ahead = number(digits, 4)?;
        let ahead = (ahead / 100) * 3600 + (ahead % 100) * 60;
        return (ahead < 86_400).then_some(if zone.starts_with('-') { -ahead } else { ahead });
    }
    Some(HOURS.iter().find(|(name, _)| zone.eq_ignore_ascii_case(name)).map_or(0, |(_, hours)| hours * 3600))
}

pub(crate) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the Gregorian calendar, counted in years that begin in March, so that the leap day is a year's last.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// For serde's `with`: writes an HTTP date.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_http_date(*at))
}

/// For serde's `with`: reads an HTTP date, as [`parse_http_date`] does.
///
/// # Errors
/// When it is none.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_http_date(&text).ok_or_else(|| serde::de::Error::custom("this is not an HTTP date"))
}

/// The same for a date that may be missing.
pub mod option {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer};

    /// For serde's `with`: writes an HTTP date, or null.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// For serde's `with`: reads an HTTP date, or null.
    ///
    /// # Errors
    /// When it is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let Some(text) = text else { return Ok(None) };
        super::parse_http_date(&text).map(Some).ok_or_else(|| serde::de::Error::custom("this is not an HTTP date"))
    }
}
