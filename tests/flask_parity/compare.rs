//! What two answers differ in.

use std::time::{Duration, SystemTime};

use crate::python::Judge;
use crate::wire::Answer;

/// One part in which the answers differ.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// `status`, `header NAME`, `body`, `cut`; `description` when nothing but the sentence of an error's page differs;
    /// `origin` when nothing but that scheme and host are before the path of a redirect.
    pub(crate) part: String,
    pub(crate) flask: String,
    pub(crate) dewar: String,
}

/// Headers that each server writes as it likes. Framing is compared by what comes out of it.
const OF_THE_SERVER: [&str; 4] = ["date", "server", "connection", "transfer-encoding"];

/// Compares them; `judge` reads session cookies with the topic's key.
pub(crate) fn differences(topic: &str, judge: &Judge, flask: &Answer, dewar: &Answer) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |part: &str, flask: String, dewar: String| {
        if flask != dewar {
            found.push(Difference { part: part.to_owned(), flask, dewar });
        }
    };
    differ("status", flask.status.to_string(), dewar.status.to_string());
    differ("cut", flask.cut.to_string(), dewar.cut.to_string());

    let body = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let (theirs, ours) = (body(flask), body(dewar));
    // The bytes decide; the text is for the reader.
    let bodies_differ = flask.body != dewar.body;
    let origin = origin(flask, dewar);
    if let Some(origin) = origin {
        differ("origin", origin.to_owned(), String::new());
    }
    if bodies_differ && origin.is_none_or(|origin| theirs.replace(origin, "") != ours) {
        match (without_description(&theirs), without_description(&ours)) {
            (Some((their_page, their_words)), Some((our_page, our_words))) if their_page == our_page => {
                differ("description", their_words, our_words);
            }
            _ if theirs == ours => differ("body", format!("{:?}", flask.body), format!("{:?}", dewar.body)),
            _ => differ("body", theirs, ours),
        }
    }

    let mut names: Vec<&str> = flask.headers.iter().chain(&dewar.headers).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // Another length is another body's; and one side may send in chunks what the other one has counted.
        let framing = name == "content-length" && (bodies_differ || flask.chunked || dewar.chunked);
        if OF_THE_SERVER.contains(&name) || framing || (origin.is_some() && name == "location") {
            continue;
        }
        let (theirs, ours): (Vec<&str>, Vec<&str>) = (flask.all(name).collect(), dewar.all(name).collect());
        let alike = theirs.len() == ours.len()
            && theirs.iter().zip(&ours).all(|(theirs, ours)| same_value(name, theirs, ours, topic, judge));
        if !alike {
            differ(&format!("header {name}"), shown(&theirs), shown(&ours));
        }
    }
    found
}

/// Scheme and host of Flask's `Location` when Dewar's is the rest of it.
fn origin<'a>(flask: &'a Answer, dewar: &'a Answer) -> Option<&'a str> {
    let (theirs, ours) = (flask.all("location").next()?, dewar.all("location").next()?);
    let origin = theirs.strip_suffix(ours).filter(|_| ours.starts_with('/'))?;
    (origin.starts_with("http") && origin.matches('/').count() == 2).then_some(origin)
}

fn shown(values: &[&str]) -> String {
    if values.is_empty() { "(none)".into() } else { values.join(" ⏎ ") }
}

fn same_value(name: &str, theirs: &str, ours: &str, topic: &str, judge: &Judge) -> bool {
    theirs == ours
        || match name {
            "expires" => same_time(theirs, ours),
            "set-cookie" => same_cookie(theirs, ours, topic, judge),
            "allow" => sorted(theirs) == sorted(ours), // Werkzeug keeps a set
            _ => false,
        }
}

fn sorted(list: &str) -> Vec<&str> {
    let mut words: Vec<&str> = list.split(',').map(str::trim).collect();
    words.sort_unstable();
    words
}

/// Attribute by attribute, in order: times may be seconds apart, and a signed value holds the time.
fn same_cookie(theirs: &str, ours: &str, topic: &str, judge: &Judge) -> bool {
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.split("; ").collect(), ours.split("; ").collect());
    theirs.len() == ours.len()
        && theirs.iter().zip(&ours).enumerate().all(|(i, (theirs, ours))| {
            theirs == ours
                || match (i, theirs.split_once('='), ours.split_once('=')) {
                    (0, Some((name, theirs)), Some((same, ours))) => {
                        name == same
                            && judge.read(topic, theirs).is_some_and(|read| judge.read(topic, ours) == Some(read))
                    }
                    (_, Some(("Expires", theirs)), Some(("Expires", ours))) => same_time(theirs, ours),
                    _ => false,
                }
        })
}

/// Both are counted from now, and now is not the same moment twice.
fn same_time(theirs: &str, ours: &str) -> bool {
    const APART: Duration = Duration::from_secs(20);
    let recent = |time: &SystemTime| *time > SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let read = |text: &str| epoch(text).filter(recent);
    match (read(theirs), read(ours)) {
        (Some(a), Some(b)) => a.duration_since(b).or_else(|_| b.duration_since(a)).is_ok_and(|gap| gap < APART),
        _ => false,
    }
}

/// `Tue, 02 Jan 2024 03:04:05 GMT`.
fn epoch(text: &str) -> Option<SystemTime> {
    let (_, rest) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut words = rest.split(' ');
    let (day, month, year) = (words.next()?.parse::<i64>().ok()?, words.next()?, words.next()?.parse::<i64>().ok()?);
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? as i64 + 1;
    // Years that begin in March have their leap day last.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// An error's page with its sentence taken out, and the sentence.
fn without_description(page: &str) -> Option<(String, String)> {
    if !page.starts_with("<!doctype html>\n<html lang=en>\n<title>") {
        return None;
    }
    let start = page.find("<p>")? + 3;
    let end = start + page[start..].find("</p>")?;
    Some((format!("{}{}", &page[..start], &page[end..]), page[start..end].to_owned()))
}
