//! Signed tokens, as itsdangerous makes them: for links in mails, for cookies, for hidden form fields.

mod error;
pub(crate) mod json;
mod key;
pub(crate) mod payload;
mod serializer;
mod signer;
mod timestamp;

pub use error::BadData;
pub use key::{Digest, KeyDerivation};
pub use serializer::{URLSafeSerializer, URLSafeTimedSerializer};
pub use signer::Signer;
pub use timestamp::TimestampSigner;

use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Written without padding, read with and without it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The options that all four types have: each hands them on to the signer in it.
macro_rules! options {
    ($type:ident) => {
        impl $type {
            /// With this salt: what it is that is signed, such as `"unsubscribe"`, so that a token that was made for one
            /// purpose is no good for another. It is no secret.
            pub fn with_salt(mut self, salt: impl AsRef<[u8]>) -> Self {
                self.0 = self.0.with_salt(salt);
                self
            }

            /// What these keys signed is read too. The oldest comes first, as in `SECRET_KEY_FALLBACKS` and in
            /// itsdangerous' list of keys, whose last one is the key that signs.
            pub fn with_fallbacks<K: AsRef<[u8]>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
                self.0 = self.0.with_fallbacks(keys);
                self
            }

            /// How the key is made of secret and salt.
            pub fn with_key_derivation(mut self, derivation: KeyDerivation) -> Self {
                self.0 = self.0.with_key_derivation(derivation);
                self
            }

            /// The hash that keys and signatures are made with.
            pub fn with_digest(mut self, digest: Digest) -> Self {
                self.0 = self.0.with_digest(digest);
                self
            }

            /// What stands between the value and its signature; the default is a dot.
            ///
            /// # Panics
            /// At the caller's line, when a signature may hold it: an ASCII letter or digit, `-`, `_` or `=`.
            #[track_caller]
            pub fn with_separator(mut self, separator: char) -> Self {
                self.0 = self.0.with_separator(separator);
                self
            }
        }
    };
}
use options;
