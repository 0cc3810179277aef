//! The cookie's value: `payload.timestamp.signature`, as itsdangerous' `URLSafeTimedSerializer` writes it for Flask.

use std::fmt;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::data::SessionData;
use crate::config::SessionSettings;

type HmacSha1 = Hmac<Sha1>;

const SALT: &[u8] = b"cookie-session";

/// What a payload may unpack to. A browser keeps some 4 KiB; deflate makes up to a thousand times that of it.
const MOST: u64 = 1 << 20;

/// Written without padding, read with and without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes and reads the values of session cookies, exactly as Flask does: a Flask app with the same `SECRET_KEY` reads
/// what it writes, and the other way round. The values are signed, **not encrypted**: who has the cookie can read it.
///
/// An app does this by itself; this type is for tests, scripts, and services that share the cookie.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use dewar::{SessionData, SessionSerializer};
///
/// let serializer = SessionSerializer::new("dev");
/// let mut data = SessionData::new();
/// data.set("user_id", 42)?;
///
/// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let cookie = serializer.dumps(&data, then);
/// assert_eq!(cookie, "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs");
///
/// let read = serializer.loads(&cookie, Duration::from_secs(60), then + Duration::from_secs(59))?;
/// assert_eq!(read.get::<i64>("user_id"), Some(42));
/// # Ok::<(), dewar::Error>(())
/// ```
///
/// A test may start out logged in:
///
/// ```
/// # use std::time::SystemTime;
/// # use dewar::{App, SessionData, SessionSerializer, session};
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "dev");
/// app.get("/", || session().get::<String>("user").unwrap_or_default()).endpoint("index");
/// let client = app.test_client();
///
/// let mut data = SessionData::new();
/// data.set("user", "ada")?;
/// client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
/// assert_eq!(client.get("/").text(), "ada");
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionSerializer {
    /// Keyed with what is derived of each secret: the one to sign with, then those that were used before it, the newest
    /// first.
    keys: Vec<HmacSha1>,
}

impl SessionSerializer {
    /// With this secret key.
    pub fn new(secret_key: impl AsRef<[u8]>) -> SessionSerializer {
        SessionSerializer { keys: vec![derived(secret_key.as_ref())] }
    }

    /// What these keys signed is read too. The oldest comes first, as in `SECRET_KEY_FALLBACKS`.
    pub fn with_fallbacks<K: AsRef<[u8]>>(mut self, keys: impl IntoIterator<Item = K>) -> SessionSerializer {
        let mut older: Vec<_> = keys.into_iter().map(|key| derived(key.as_ref())).collect();
        older.reverse();
        self.keys.extend(older);
        self
    }

    /// The app's, when it has a key.
    pub(crate) fn configured(settings: &SessionSettings) -> Option<SessionSerializer> {
        let fallbacks = settings.secret_key_fallbacks.iter().filter(|key| !key.is_empty());
        Some(SessionSerializer::new(settings.secret_key.as_ref()?).with_fallbacks(fallbacks))
    }

    /// A cookie's value, signed at `now`.
    pub fn dumps(&self, data: &SessionData, now: SystemTime) -> String {
        let json = data.to_tagged_json();
        let packed = deflated(json.as_bytes());
        let mut text = String::new();
        if packed.len() + 1 < json.len() {
            text.push('.');
            BASE64.encode_string(packed, &mut text);
        } else {
            BASE64.encode_string(json, &mut text);
        }
        text.push('.');
        let seconds = seconds(now).to_be_bytes();
        let zeros = seconds.iter().take_while(|byte| **byte == 0).count();
        BASE64.encode_string(&seconds[zeros..], &mut text);
        let signature = self.keys[0].clone().chain_update(&text).finalize().into_bytes();
        text.push('.');
        BASE64.encode_string(signature, &mut text);
        text
    }

    /// What a cookie's value says, when it was signed with one of the keys, not longer than `max_age` before `now`, and
    /// not after it.
    ///
    /// # Errors
    /// When it was not: see [`BadSession`].
    pub fn loads(&self, cookie: &str, max_age: Duration, now: SystemTime) -> Result<SessionData, BadSession> {
        let (signed, signature) = cookie.rsplit_once('.').ok_or(BadSession::Signature)?;
        let signature = BASE64.decode(signature).map_err(|_| BadSession::Signature)?;
        // `verify_slice` takes as long for one wrong signature as for another.
        let fits = |key: &HmacSha1| key.clone().chain_update(signed).verify_slice(&signature).is_ok();
        if !self.keys.iter().any(fits) {
            return Err(BadSession::Signature);
        }

        let (payload, timestamp) = signed.rsplit_once('.').ok_or(BadSession::Malformed)?;
        let timestamp = BASE64.decode(timestamp).ok().filter(|bytes| bytes.len() <= 8).ok_or(BadSession::Malformed)?;
        let signed_at = timestamp.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        if seconds(now).checked_sub(signed_at).is_none_or(|age| age > max_age.as_secs()) {
            return Err(BadSession::Expired);
        }

        let json = match payload.strip_prefix('.') {
            Some(packed) => inflated(&BASE64.decode(packed).map_err(|_| BadSession::Malformed)?)?,
            None => BASE64.decode(payload).map_err(|_| BadSession::Malformed)?,
        };
        let json = std::str::from_utf8(&json).map_err(|_| BadSession::Malformed)?;
        SessionData::from_tagged_json(json).map_err(|_| BadSession::Malformed)
    }
}

impl fmt::Debug for SessionSerializer {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSerializer").finish_non_exhaustive()
    }
}

fn derived(secret: &[u8]) -> HmacSha1 {
    let keyed = |key: &[u8]| HmacSha1::new_from_slice(key).expect("HMAC takes keys of any length");
    keyed(&keyed(secret).chain_update(SALT).finalize().into_bytes())
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to a vector does not fail")
}

fn inflated(bytes: &[u8]) -> Result<Vec<u8>, BadSession> {
    let mut json = Vec::new();
    let decoder = flate2::read::ZlibDecoder::new(bytes);
    decoder.take(MOST + 1).read_to_end(&mut json).map_err(|_| BadSession::Malformed)?;
    if json.len() as u64 > MOST { Err(BadSession::TooLarge) } else { Ok(json) }
}

/// Why a session cookie was not read. An app starts an empty session then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSession {
    /// It has no signature, or one that none of the keys made.
    Signature,
    /// It was signed too long ago, or in the future.
    Expired,
    /// It unpacks to more than 1 MiB.
    TooLarge,
    /// It is signed, but is no session.
    Malformed,
}

impl fmt::Display for BadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadSession::Signature => "the session cookie was not signed with any of the secret keys",
            BadSession::Expired => "the session cookie has expired, or comes from the future",
            BadSession::TooLarge => "the session cookie unpacks to more than 1 MiB",
            BadSession::Malformed => "the session cookie is signed, but holds no session",
        })
    }
}

impl std::error::Error for BadSession {}
