//! Why a token was not read.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

/// Why a signed value was not read (itsdangerous' exceptions, as one type).
///
/// Whoever sent it is told no more than that it is no good; which of these it was is for logs, and for the message "this
/// link has expired".
#[derive(Debug)]
#[non_exhaustive]
pub enum BadData {
    /// It has no signature, or one that none of the keys made.
    BadSignature,
    /// It is signed, but has no time, or none that a clock knows.
    BadTimeSignature,
    /// It is signed, but at the wrong time.
    SignatureExpired {
        /// When it was signed.
        date_signed: SystemTime,
        /// How long ago that is, in whole seconds; `None` when it comes from the future.
        age: Option<Duration>,
    },
    /// It is signed, but what was signed cannot be read: it is no base64, does not unpack, unpacks to more than 1 MiB, or
    /// is not the type that was asked for. The cause is in it.
    BadPayload(Box<dyn Error + Send + Sync>),
}

impl BadData {
    /// When it was signed, for one that came too late or too early.
    pub fn date_signed(&self) -> Option<SystemTime> {
        match self {
            BadData::SignatureExpired { date_signed, .. } => Some(*date_signed),
            _ => None,
        }
    }
}

impl fmt::Display for BadData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadData::BadSignature => f.write_str("it was not signed with any of the keys"),
            BadData::BadTimeSignature => f.write_str("it is signed, but does not say when"),
            BadData::SignatureExpired { age: Some(age), .. } => {
                write!(f, "it was signed {} seconds ago, which is too long", age.as_secs())
            }
            BadData::SignatureExpired { age: None, .. } => f.write_str("it was signed in the future"),
            BadData::BadPayload(why) => write!(f, "it is signed, but its payload cannot be read: {why}"),
        }
    }
}

impl Error for BadData {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BadData::BadPayload(why) => Some(&**why),
            _ => None,
        }
    }
}
