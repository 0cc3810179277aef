//! The cookie's value: `payload.timestamp.signature`, as itsdangerous' `URLSafeTimedSerializer` writes it for Flask.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::data::SessionData;
use crate::config::SessionSettings;
use crate::signing::payload::{self, Unfit};
use crate::signing::{BadData, KeyDerivation, TimestampSigner};

const SALT: &str = "cookie-session";

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
pub struct SessionSerializer(TimestampSigner);

impl SessionSerializer {
    /// With this secret key.
    pub fn new(secret_key: impl AsRef<[u8]>) -> SessionSerializer {
        let signer = TimestampSigner::new(secret_key).with_salt(SALT).with_key_derivation(KeyDerivation::Hmac);
        SessionSerializer(signer)
    }

    /// What these keys signed is read too. The oldest comes first, as in `SECRET_KEY_FALLBACKS`.
    pub fn with_fallbacks<K: AsRef<[u8]>>(self, keys: impl IntoIterator<Item = K>) -> SessionSerializer {
        SessionSerializer(self.0.with_fallbacks(keys))
    }

    /// The app's, when it has a key.
    pub(crate) fn configured(settings: &SessionSettings) -> Option<SessionSerializer> {
        let fallbacks = settings.secret_key_fallbacks.iter().filter(|key| !key.is_empty());
        Some(SessionSerializer::new(settings.secret_key.as_ref()?).with_fallbacks(fallbacks))
    }

    /// A cookie's value, signed at `now`.
    pub fn dumps(&self, data: &SessionData, now: SystemTime) -> String {
        let mut text = payload::pack(&data.to_tagged_json());
        self.0.sign_on(&mut text, now);
        text
    }

    /// What a cookie's value says, when it was signed with one of the keys, not longer than `max_age` before `now`, and
    /// not after it.
    ///
    /// # Errors
    /// When it was not: see [`BadSession`].
    pub fn loads(&self, cookie: &str, max_age: Duration, now: SystemTime) -> Result<SessionData, BadSession> {
        let (packed, _) = self.0.unsign_at(cookie, max_age, now).map_err(BadSession::from)?;
        let json = payload::unpack(packed).map_err(|why| match why {
            Unfit::TooLarge => BadSession::TooLarge,
            Unfit::Base64 | Unfit::Zlib => BadSession::Malformed,
        })?;
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

impl From<BadData> for BadSession {
    fn from(why: BadData) -> BadSession {
        match why {
            BadData::BadSignature => BadSession::Signature,
            BadData::SignatureExpired { .. } => BadSession::Expired,
            BadData::BadTimeSignature | BadData::BadPayload(_) => BadSession::Malformed,
        }
    }
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
