//! The signer: a value, and the signature behind it.

use std::fmt;

use base64::Engine;

use super::key::Key;
use super::{BASE64, BadData, Digest, KeyDerivation};

/// Signs text, and reads what it signed: `value.signature` (itsdangerous' `Signer`, byte for byte).
///
/// Nothing is hidden: who has the value can read it, but not change it. The secret is long, random, and known to nobody
/// else; the salt says what is signed.
///
/// ```
/// use dewar::Signer;
///
/// let signer = Signer::new("dev").with_salt("unsubscribe");
/// let signed = signer.sign("ada@example.org");
/// assert_eq!(signer.unsign(&signed)?, "ada@example.org");
/// assert!(signer.unsign(&signed.replace("ada", "bob")).is_err());
/// assert!(!Signer::new("dev").with_salt("reset password").validate(&signed));
/// # Ok::<(), dewar::BadData>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    /// The one to sign with, then those that were used before it, the newest first.
    secrets: Vec<Vec<u8>>,
    salt: Vec<u8>,
    separator: char,
    derivation: KeyDerivation,
    digest: Digest,
    /// What is derived of each secret.
    keys: Vec<Key>,
}

impl Signer {
    /// With this secret key, and itsdangerous' defaults: the salt `itsdangerous.Signer`, SHA-1, `DjangoConcat`.
    pub fn new(secret_key: impl AsRef<[u8]>) -> Signer {
        let mut signer = Signer {
            secrets: vec![secret_key.as_ref().to_vec()],
            salt: b"itsdangerous.Signer".to_vec(),
            separator: '.',
            derivation: KeyDerivation::default(),
            digest: Digest::default(),
            keys: Vec::new(),
        };
        signer.derive();
        signer
    }

    /// With this salt: what it is that is signed, so that a value that was signed for one purpose is no good for another.
    /// It is no secret.
    pub fn with_salt(mut self, salt: impl AsRef<[u8]>) -> Signer {
        self.salt = salt.as_ref().to_vec();
        self.derive();
        self
    }

    /// What these keys signed is read too. The oldest comes first, as in `SECRET_KEY_FALLBACKS` and in itsdangerous' list
    /// of keys, whose last one is the key that signs.
    ///
    /// ```
    /// # use dewar::Signer;
    /// let old = Signer::new("old").sign("1");
    /// let signer = Signer::new("new").with_fallbacks(["older", "old"]);
    /// assert_eq!(signer.unsign(&old)?, "1");
    /// assert_eq!(signer.sign("1"), Signer::new("new").sign("1"));
    /// # Ok::<(), dewar::BadData>(())
    /// ```
    pub fn with_fallbacks<K: AsRef<[u8]>>(mut self, keys: impl IntoIterator<Item = K>) -> Signer {
        let mut older: Vec<_> = keys.into_iter().map(|key| key.as_ref().to_vec()).collect();
        older.reverse();
        self.secrets.truncate(1);
        self.secrets.extend(older);
        self.derive();
        self
    }

    /// How the key is made of secret and salt.
    pub fn with_key_derivation(mut self, derivation: KeyDerivation) -> Signer {
        self.derivation = derivation;
        self.derive();
        self
    }

    /// The hash that keys and signatures are made with.
    pub fn with_digest(mut self, digest: Digest) -> Signer {
        self.digest = digest;
        self.derive();
        self
    }

    /// What stands between the value and its signature; the default is a dot.
    ///
    /// # Panics
    /// At the caller's line, when a signature may hold it: an ASCII letter or digit, `-`, `_` or `=`.
    #[track_caller]
    pub fn with_separator(mut self, separator: char) -> Signer {
        assert!(
            !separator.is_ascii_alphanumeric() && !matches!(separator, '-' | '_' | '='),
            "{separator:?} cannot separate a value from its signature, which may hold it: use `.`, `:` or `|`"
        );
        self.separator = separator;
        self
    }

    /// Keys are derived once, and not for each signature.
    fn derive(&mut self) {
        let derived = |secret: &Vec<u8>| Key::derived(secret, &self.salt, self.derivation, self.digest);
        self.keys = self.secrets.iter().map(derived).collect();
    }

    pub(super) fn separator(&self) -> char {
        self.separator
    }

    /// The value with its signature behind it.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut signed = value.to_owned();
        self.sign_on(&mut signed);
        signed
    }

    /// Puts the signature of what is there behind it.
    pub(crate) fn sign_on(&self, value: &mut String) {
        let mac = self.keys[0].mac(value.as_bytes());
        value.push(self.separator);
        BASE64.encode_string(mac, value);
    }

    /// The signature alone: base64, without padding.
    #[must_use]
    pub fn signature(&self, value: &str) -> String {
        BASE64.encode(self.keys[0].mac(value.as_bytes()))
    }

    /// Whether the signature is this value's, by one of the keys. That takes as long for one wrong signature as for
    /// another.
    pub fn verify_signature(&self, value: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature) else { return false };
        self.keys.iter().any(|key| key.verify(value.as_bytes(), &signature))
    }

    /// The value in front of its signature.
    ///
    /// # Errors
    /// [`BadData::BadSignature`], when there is none, or it is wrong.
    pub fn unsign<'s>(&self, signed: &'s str) -> Result<&'s str, BadData> {
        let (value, signature) = signed.rsplit_once(self.separator).ok_or(BadData::BadSignature)?;
        if self.verify_signature(value, signature) { Ok(value) } else { Err(BadData::BadSignature) }
    }

    /// Whether the signature is right.
    pub fn validate(&self, signed: &str) -> bool {
        self.unsign(signed).is_ok()
    }
}

impl fmt::Debug for Signer {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("salt", &String::from_utf8_lossy(&self.salt))
            .field("key_derivation", &self.derivation)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
