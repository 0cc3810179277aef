//! Values as tokens: JSON, packed where that is shorter, as text for URLs, signed.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BadData, Digest, KeyDerivation, Signer, TimestampSigner, json, options, payload};

/// itsdangerous' default for serializers; that of plain signers is another.
const SALT: &str = "itsdangerous";

/// Values as signed tokens that fit into a URL: `payload.signature` (itsdangerous' `URLSafeSerializer`, byte for byte).
///
/// The payload is JSON without blanks, packed by zlib where that is shorter, as base64. A token is signed, **not
/// encrypted**, and good for ever: see [`URLSafeTimedSerializer`] for those that are not.
///
/// ```
/// use dewar::URLSafeSerializer;
///
/// let serializer = URLSafeSerializer::new("dev").with_salt("unsubscribe");
/// let token = serializer.dumps(&(7, "news"))?;
/// let (user, list): (u32, String) = serializer.loads(&token)?;
/// assert_eq!((user, list.as_str()), (7, "news"));
/// # Ok::<(), dewar::Error>(())
/// ```
///
/// The JSON is as Python's `json` writes it: floats in Python's form, keys in the order of the type's fields. NaN and
/// infinity, which JSON has not, become `null`.
#[derive(Clone)]
pub struct URLSafeSerializer(Signer);

options!(URLSafeSerializer);

impl URLSafeSerializer {
    /// With this secret key and the salt `itsdangerous`.
    pub fn new(secret_key: impl AsRef<[u8]>) -> URLSafeSerializer {
        URLSafeSerializer(Signer::new(secret_key).with_salt(SALT))
    }

    /// The value as a token.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn dumps<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, serde_json::Error> {
        let mut token = payload::pack(&json::dumps(value)?);
        self.0.sign_on(&mut token);
        Ok(token)
    }

    /// The value of a token.
    ///
    /// # Errors
    /// [`BadData::BadSignature`]; [`BadData::BadPayload`] when it is no `T`.
    pub fn loads<T: DeserializeOwned>(&self, token: &str) -> Result<T, BadData> {
        read(self.0.unsign(token)?)
    }
}

/// Values as signed tokens with the time at which they were made: `payload.time.signature` (itsdangerous'
/// `URLSafeTimedSerializer`, byte for byte). Otherwise as [`URLSafeSerializer`].
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use dewar::{BadData, URLSafeTimedSerializer};
///
/// let serializer = URLSafeTimedSerializer::new("dev").with_salt("reset password");
/// let hour = Duration::from_secs(3600);
/// let token = serializer.dumps("ada")?;
/// assert_eq!(serializer.loads::<String>(&token, hour)?, "ada");
///
/// let late = serializer.loads_at::<String>(&token, hour, SystemTime::now() + 2 * hour);
/// assert!(matches!(late, Err(BadData::SignatureExpired { .. })));
/// # Ok::<(), dewar::Error>(())
/// ```
///
/// A token of Flask-WTF's is one of these:
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// # use dewar::URLSafeTimedSerializer;
/// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let token = URLSafeTimedSerializer::new("dev").with_salt("wtf-csrf-token").dumps_at("abc", then)?;
/// assert_eq!(token, "ImFiYyI.ZVPxAA.jREktOCjcD-pmj2_bAXZkNfBymI");
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct URLSafeTimedSerializer(TimestampSigner);

options!(URLSafeTimedSerializer);

impl URLSafeTimedSerializer {
    /// With this secret key and the salt `itsdangerous`.
    pub fn new(secret_key: impl AsRef<[u8]>) -> URLSafeTimedSerializer {
        URLSafeTimedSerializer(TimestampSigner::new(secret_key).with_salt(SALT))
    }

    /// The value as a token, made now.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn dumps<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, serde_json::Error> {
        self.dumps_at(value, SystemTime::now())
    }

    /// As [`dumps`](URLSafeTimedSerializer::dumps), at another time.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn dumps_at<T: Serialize + ?Sized>(&self, value: &T, now: SystemTime) -> Result<String, serde_json::Error> {
        let mut token = payload::pack(&json::dumps(value)?);
        self.0.sign_on(&mut token, now);
        Ok(token)
    }

    /// The value of a token that was made not longer than `max_age` ago and not in the future. Without a `max_age` any
    /// time will do.
    ///
    /// # Errors
    /// Each kind of [`BadData`].
    pub fn loads<T: DeserializeOwned>(&self, token: &str, max_age: impl Into<Option<Duration>>) -> Result<T, BadData> {
        self.loads_at(token, max_age, SystemTime::now()).map(|(value, _)| value)
    }

    /// As [`loads`](URLSafeTimedSerializer::loads), at another time; with the time at which it was made.
    ///
    /// # Errors
    /// Each kind of [`BadData`].
    pub fn loads_at<T: DeserializeOwned>(
        &self,
        token: &str,
        max_age: impl Into<Option<Duration>>,
        now: SystemTime,
    ) -> Result<(T, SystemTime), BadData> {
        let (packed, date_signed) = self.0.unsign_at(token, max_age, now)?;
        Ok((read(packed)?, date_signed))
    }
}

fn read<T: DeserializeOwned>(packed: &str) -> Result<T, BadData> {
    let json = payload::unpack(packed).map_err(|why| BadData::BadPayload(why.into()))?;
    serde_json::from_slice(&json).map_err(|why| BadData::BadPayload(why.into()))
}

impl fmt::Debug for URLSafeSerializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("URLSafeSerializer").field(&self.0).finish()
    }
}

impl fmt::Debug for URLSafeTimedSerializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("URLSafeTimedSerializer").field(&self.0).finish()
    }
}
