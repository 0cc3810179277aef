//! The signer that says when it signed.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;

use super::{BASE64, BadData, Digest, KeyDerivation, Signer, options};

/// As [`Signer`], with the time of the signing: `value.time.signature` (itsdangerous' `TimestampSigner`).
///
/// ```
/// use std::time::Duration;
/// use dewar::TimestampSigner;
///
/// let signer = TimestampSigner::new("dev").with_salt("invitation");
/// let signed = signer.sign("ada");
/// assert_eq!(signer.unsign(&signed, Duration::from_secs(60))?, "ada");
/// assert_eq!(signer.unsign(&signed, None)?, "ada");
/// # Ok::<(), dewar::BadData>(())
/// ```
#[derive(Clone)]
pub struct TimestampSigner(Signer);

options!(TimestampSigner);

impl TimestampSigner {
    /// With this secret key; its defaults are those of [`Signer::new`].
    pub fn new(secret_key: impl AsRef<[u8]>) -> TimestampSigner {
        TimestampSigner(Signer::new(secret_key))
    }

    /// The value with the time and the signature behind it.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        self.sign_at(value, SystemTime::now())
    }

    /// As [`sign`](TimestampSigner::sign), at another time; one before 1970 is taken for its first second.
    #[must_use]
    pub fn sign_at(&self, value: &str, now: SystemTime) -> String {
        let mut signed = value.to_owned();
        self.sign_on(&mut signed, now);
        signed
    }

    pub(crate) fn sign_on(&self, value: &mut String, now: SystemTime) {
        value.push(self.0.separator());
        // Seconds as a big-endian number without leading zeros.
        let seconds = seconds(now).to_be_bytes();
        let zeros = seconds.iter().take_while(|byte| **byte == 0).count();
        BASE64.encode_string(&seconds[zeros..], value);
        self.0.sign_on(value);
    }

    /// The value, when it was signed with one of the keys, not longer than `max_age` ago and not in the future. Without a
    /// `max_age` any time will do.
    ///
    /// # Errors
    /// [`BadData::BadSignature`], [`BadData::BadTimeSignature`] or [`BadData::SignatureExpired`].
    pub fn unsign<'s>(&self, signed: &'s str, max_age: impl Into<Option<Duration>>) -> Result<&'s str, BadData> {
        self.unsign_at(signed, max_age, SystemTime::now()).map(|(value, _)| value)
    }

    /// As [`unsign`](TimestampSigner::unsign), at another time; with the time of the signing.
    ///
    /// Ages are whole seconds. A `max_age` counts whole seconds too: what is beyond them is left off.
    ///
    /// # Errors
    /// As [`unsign`](TimestampSigner::unsign).
    pub fn unsign_at<'s>(
        &self,
        signed: &'s str,
        max_age: impl Into<Option<Duration>>,
        now: SystemTime,
    ) -> Result<(&'s str, SystemTime), BadData> {
        let value = self.0.unsign(signed)?;
        let (value, timestamp) = value.rsplit_once(self.0.separator()).ok_or(BadData::BadTimeSignature)?;
        let bytes = BASE64.decode(timestamp).ok().filter(|bytes| bytes.len() <= 8).ok_or(BadData::BadTimeSignature)?;
        let signed_at = bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        let date_signed = UNIX_EPOCH.checked_add(Duration::from_secs(signed_at)).ok_or(BadData::BadTimeSignature)?;
        if let Some(max_age) = max_age.into() {
            let age = seconds(now).checked_sub(signed_at);
            if age.is_none_or(|age| age > max_age.as_secs()) {
                return Err(BadData::SignatureExpired { date_signed, age: age.map(Duration::from_secs) });
            }
        }
        Ok((value, date_signed))
    }

    /// Whether the signature is right, and its time.
    pub fn validate(&self, signed: &str, max_age: impl Into<Option<Duration>>) -> bool {
        self.unsign(signed, max_age).is_ok()
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Debug for TimestampSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimestampSigner").field(&self.0).finish()
    }
}
