//! Moments as logs write them, in UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment: `2026-01-01 12:00:00,123`, as Python's `logging` writes it, or with `{:#}` as `01/Jan/2026:12:00:00 +0000`,
/// as access logs do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) SystemTime);

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        let (year, month, day) = date(days);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        if f.alternate() {
            write!(f, "{day:02}/{}/{year}:{h:02}:{m:02}:{s:02} +0000", MONTHS[month - 1])
        } else {
            write!(f, "{year}-{month:02}-{day:02} {h:02}:{m:02}:{s:02},{:03}", since.subsec_millis())
        }
    }
}

/// Year, month and day of so many days after 1970-01-01. Years begin in March here, so that the leap day is the last.
fn date(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month as usize, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_have_dates() {
        for (seconds, written) in [
            (0, "1970-01-01 00:00:00,000"),
            (951_782_399, "2000-02-28 23:59:59,000"),
            (951_782_400, "2000-02-29 00:00:00,000"),
            (951_868_800, "2000-03-01 00:00:00,000"),
            (1_767_225_599, "2025-12-31 23:59:59,000"),
            (4_107_542_400, "2100-03-01 00:00:00,000"),
        ] {
            assert_eq!(Moment(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), written);
        }
        // The whole of four centuries against httpdate's calendar.
        for day in (0..146_097_u64).step_by(13) {
            let at = UNIX_EPOCH + Duration::from_secs(day * 86_400);
            let [date, ours] = [httpdate::fmt_http_date(at), format!("{:#}", Moment(at))];
            let wanted = format!("{}/{}/{}:00:00:00 +0000", &date[5..7], &date[8..11], &date[12..16]);
            assert_eq!(ours, wanted);
        }
    }
}
