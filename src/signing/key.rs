//! What signs: a key that is derived of a secret, and the hash it is used with.

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};

/// The hash that a key is made with and that HMAC signs with (itsdangerous' `digest_method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Digest {
    /// SHA-1, the default of itsdangerous and of Flask. In HMAC it is not known to be broken.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the key that signs is made of the secret and the salt (itsdangerous' `key_derivation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyDerivation {
    /// The hash of salt, `signer` and secret, one behind the other: itsdangerous' default.
    #[default]
    DjangoConcat,
    /// The hash of salt and secret.
    Concat,
    /// HMAC of the salt, keyed with the secret: what Flask's sessions use.
    Hmac,
    /// The secret itself; the salt counts for nothing.
    None,
}

/// HMAC, keyed already.
#[derive(Clone)]
pub(super) enum Key {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Key {
    fn new(digest: Digest, key: &[u8]) -> Key {
        const ANY: &str = "HMAC takes keys of any length";
        match digest {
            Digest::Sha1 => Key::Sha1(Hmac::new_from_slice(key).expect(ANY)),
            Digest::Sha256 => Key::Sha256(Hmac::new_from_slice(key).expect(ANY)),
            Digest::Sha512 => Key::Sha512(Hmac::new_from_slice(key).expect(ANY)),
        }
    }

    pub(super) fn derived(secret: &[u8], salt: &[u8], derivation: KeyDerivation, digest: Digest) -> Key {
        match derivation {
            KeyDerivation::DjangoConcat => Key::new(digest, &hash(digest, &[salt, b"signer", secret])),
            KeyDerivation::Concat => Key::new(digest, &hash(digest, &[salt, secret])),
            KeyDerivation::Hmac => Key::new(digest, &Key::new(digest, secret).mac(salt)),
            KeyDerivation::None => Key::new(digest, secret),
        }
    }

    pub(super) fn mac(&self, value: &[u8]) -> Vec<u8> {
        match self {
            Key::Sha1(key) => key.clone().chain_update(value).finalize().into_bytes().to_vec(),
            Key::Sha256(key) => key.clone().chain_update(value).finalize().into_bytes().to_vec(),
            Key::Sha512(key) => key.clone().chain_update(value).finalize().into_bytes().to_vec(),
        }
    }

    /// `verify_slice` takes as long for one wrong signature as for another.
    pub(super) fn verify(&self, value: &[u8], signature: &[u8]) -> bool {
        match self {
            Key::Sha1(key) => key.clone().chain_update(value).verify_slice(signature).is_ok(),
            Key::Sha256(key) => key.clone().chain_update(value).verify_slice(signature).is_ok(),
            Key::Sha512(key) => key.clone().chain_update(value).verify_slice(signature).is_ok(),
        }
    }
}

fn hash(digest: Digest, parts: &[&[u8]]) -> Vec<u8> {
    let all = parts.concat();
    match digest {
        Digest::Sha1 => Sha1::digest(all).to_vec(),
        Digest::Sha256 => Sha256::digest(all).to_vec(),
        Digest::Sha512 => Sha512::digest(all).to_vec(),
    }
}
