//! `strftime`, Python's method of dates: of texts that are dates here, since that is what serde makes of them.

use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use crate::http_date::{days_in, days_since_1970, parse_http_date};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A date with its time, and its zone where it has one.
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    microsecond: i64,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
}

/// The date as this format writes it, in English; `None` when the text is no date.
pub(super) fn strftime(text: &str, format: &str) -> Option<String> {
    let moment = Moment::parse(text.trim())?;
    let mut out = String::new();
    moment.write(format, &mut out);
    Some(out)
}

impl Moment {
    /// Dates of ISO 8601 and RFC 3339, as chrono, jiff, time and SQLite write them, and HTTP dates.
    fn parse(text: &str) -> Option<Moment> {
        Moment::iso(text).or_else(|| Moment::http(text))
    }

    fn http(text: &str) -> Option<Moment> {
        let at = parse_http_date(text)?;
        let seconds = match at.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).ok()?,
            Err(before) => -i64::try_from(before.duration().as_secs()).ok()?,
        };
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Not after the year that is looked for, whichever way.
        let mut year = 1970 + days.div_euclid(if days < 0 { 365 } else { 366 });
        while days_since_1970(year + 1, 1, 1) <= days {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days_since_1970(year, month + 1, 1) <= days {
            month += 1;
        }
        let day = days - days_since_1970(year, month, 1) + 1;
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        Some(Moment { year, month, day, hour, minute, second, microsecond: 0, offset: Some(0) })
    }

    fn iso(text: &str) -> Option<Moment> {
        let mut rest = Rest(text);
        let year = rest.digits(4, 4)?;
        let month = rest.after("-")?.digits(2, 2)?;
        let day = rest.after("-")?.digits(2, 2)?;
        let valid = year > 0 && (1..=12).contains(&month) && (1..=days_in(month, year)).contains(&day);
        if !valid {
            return None;
        }
        let mut moment = Moment { year, month, day, hour: 0, minute: 0, second: 0, microsecond: 0, offset: None };
        if rest.0.is_empty() {
            return Some(moment);
        }
        rest.after_one_of(&["T", "t", " "])?;
        moment.hour = rest.digits(1, 2).filter(|hour| *hour < 24)?;
        moment.minute = rest.after(":")?.digits(2, 2).filter(|minute| *minute < 60)?;
        if rest.after(":").is_some() {
            // A leap second is one that Python's dates cannot be, either.
            moment.second = rest.digits(2, 2).filter(|second| *second < 60)?;
            if rest.after(".").is_some() {
                moment.microsecond = rest.fraction()?;
            }
        }
        rest.after(" ");
        moment.offset = rest.offset()?;
        // jiff writes the zone's name behind it.
        let named = rest.0.starts_with('[') && rest.0.ends_with(']') && moment.offset.is_some();
        (rest.0.is_empty() || named).then_some(moment)
    }

    fn write(&self, format: &str, out: &mut String) {
        let mut rest = format;
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            let (flag, code) = match after.chars().next() {
                Some(flag @ ('-' | '_' | '0' | '^')) => (Some(flag), after[1..].chars().next()),
                code => (None, code),
            };
            let written = code.is_some_and(|code| self.write_code(code, flag, out));
            let taken = 1 + usize::from(flag.is_some());
            if written {
                // Every code is a letter of ASCII, or the percent sign.
                rest = &after[taken..];
            } else {
                // As the C library does with what it does not know.
                out.push('%');
                rest = after;
            }
        }
        out.push_str(rest);
    }

    fn days(&self) -> i64 {
        days_since_1970(self.year, self.month, self.day)
    }

    /// From 0, which is Sunday.
    fn weekday(&self) -> i64 {
        (self.days() + 4).rem_euclid(7)
    }

    /// From 0.
    fn day_of_year(&self) -> i64 {
        self.days() - days_since_1970(self.year, 1, 1)
    }

    /// The year and the week of ISO 8601: a week is in the year that has its Thursday.
    fn iso_week(&self) -> (i64, i64) {
        let thursday = self.days() - (self.weekday() + 6) % 7 + 3;
        let of = |year| days_since_1970(year, 1, 1);
        let year = match () {
            () if thursday < of(self.year) => self.year - 1,
            () if thursday >= of(self.year + 1) => self.year + 1,
            () => self.year,
        };
        (year, (thursday - of(year)) / 7 + 1)
    }

    /// Whether there is such a code.
    fn write_code(&self, code: char, flag: Option<char>, out: &mut String) -> bool {
        let number = |out: &mut String, n: i64, width: usize, fill: char| {
            let (width, fill) = match flag {
                Some('-') => (0, fill),
                Some('_') => (width, ' '),
                Some('0') => (width, '0'),
                _ => (width, fill),
            };
            let _ = if fill == '0' { write!(out, "{n:0width$}") } else { write!(out, "{n:width$}") };
        };
        let word = |out: &mut String, word: &str| match flag {
            Some('^') => out.push_str(&word.to_uppercase()),
            _ => out.push_str(word),
        };
        let (month, weekday) = (MONTHS[self.month as usize - 1], WEEKDAYS[self.weekday() as usize]);
        let hour_of_12 = (self.hour + 11) % 12 + 1;
        match code {
            'Y' => number(out, self.year, 4, '0'),
            'C' => number(out, self.year / 100, 2, '0'),
            'y' => number(out, self.year % 100, 2, '0'),
            'm' => number(out, self.month, 2, '0'),
            'd' => number(out, self.day, 2, '0'),
            'e' => number(out, self.day, 2, ' '),
            'H' => number(out, self.hour, 2, '0'),
            'k' => number(out, self.hour, 2, ' '),
            'I' => number(out, hour_of_12, 2, '0'),
            'l' => number(out, hour_of_12, 2, ' '),
            'M' => number(out, self.minute, 2, '0'),
            'S' => number(out, self.second, 2, '0'),
            'f' => number(out, self.microsecond, 6, '0'),
            'j' => number(out, self.day_of_year() + 1, 3, '0'),
            'w' => number(out, self.weekday(), 1, '0'),
            'u' => number(out, (self.weekday() + 6) % 7 + 1, 1, '0'),
            'U' => number(out, (self.day_of_year() + 7 - self.weekday()) / 7, 2, '0'),
            'W' => number(out, (self.day_of_year() + 7 - (self.weekday() + 6) % 7) / 7, 2, '0'),
            'G' => number(out, self.iso_week().0, 4, '0'),
            'g' => number(out, self.iso_week().0 % 100, 2, '0'),
            'V' => number(out, self.iso_week().1, 2, '0'),
            'B' => word(out, month),
            'b' | 'h' => word(out, &month[..3]),
            'A' => word(out, weekday),
            'a' => word(out, &weekday[..3]),
            'p' => word(out, if self.hour < 12 { "AM" } else { "PM" }),
            'P' => word(out, if self.hour < 12 { "am" } else { "pm" }),
            'z' => self.write_offset("", out),
            'Z' => match self.offset {
                None => {}
                Some(0) => out.push_str("UTC"),
                Some(_) => {
                    out.push_str("UTC");
                    self.write_offset(":", out);
                }
            },
            'F' => self.write("%Y-%m-%d", out),
            'T' | 'X' => self.write("%H:%M:%S", out),
            'R' => self.write("%H:%M", out),
            'D' | 'x' => self.write("%m/%d/%y", out),
            'r' => self.write("%I:%M:%S %p", out),
            'c' => self.write("%a %b %e %H:%M:%S %Y", out),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            _ => return false,
        }
        true
    }

    fn write_offset(&self, between: &str, out: &mut String) {
        let Some(offset) = self.offset else { return };
        let (sign, by) = (if offset < 0 { '-' } else { '+' }, offset.abs());
        let _ = write!(out, "{sign}{:02}{between}{:02}", by / 3600, by / 60 % 60);
        if by % 60 != 0 {
            let _ = write!(out, "{between}{:02}", by % 60);
        }
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn after(&mut self, sign: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(sign)?;
        Some(self)
    }

    fn after_one_of(&mut self, signs: &[&str]) -> Option<()> {
        self.0 = signs.iter().find_map(|sign| self.0.strip_prefix(sign))?;
        Some(())
    }

    /// How many digits stand here.
    fn run(&self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let n = self.run().min(most);
        let (digits, rest) = self.0.split_at(n);
        let number = if n < least { return None } else { digits.parse().ok()? };
        self.0 = rest;
        Some(number)
    }

    /// Microseconds; what is finer is cut off.
    fn fraction(&mut self) -> Option<i64> {
        let (digits, rest) = self.0.split_at(self.run());
        self.0 = rest;
        let kept = &digits[..digits.len().min(6)];
        let number: i64 = kept.parse().ok()?;
        Some(number * 10_i64.pow(6 - kept.len() as u32))
    }

    /// The outer `None` is an offset that is none, the inner one no offset.
    fn offset(&mut self) -> Option<Option<i64>> {
        if self.after_one_of(&["Z", "z"]).is_some() {
            return Some(Some(0));
        }
        let sign = match () {
            () if self.after("+").is_some() => 1,
            () if self.after("-").is_some() => -1,
            () => return Some(None),
        };
        let hours = self.digits(2, 2).filter(|hours| *hours < 24)?;
        let alone = self.after(":").is_none() && self.run() == 0;
        let minutes = if alone { 0 } else { self.digits(2, 2).filter(|minutes| *minutes < 60)? };
        let seconds = match self.after(":") {
            None => 0,
            Some(rest) => rest.digits(2, 2).filter(|seconds| *seconds < 60)?,
        };
        Some(Some(sign * (hours * 3600 + minutes * 60 + seconds)))
    }
}
