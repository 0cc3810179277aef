//! Password hashes, as Werkzeug makes them.

use std::hint::black_box;

use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::error::{Error, Here, Result};
use crate::random;

/// Werkzeug's default for pbkdf2, also of stored hashes that name no number.
const ITERATIONS: u32 = 1_000_000;

/// Above this a hash takes many seconds: it was not made for anybody to log in with.
const MOST_ITERATIONS: u32 = 20_000_000;

/// The same for scrypt, as `n * r * p`: 64 times the default.
const MOST_WORK: u64 = 1 << 24;

/// What scrypt may make before and after its work, as `r * p` blocks of 128 bytes: 128 MiB.
const MOST_BLOCKS: u64 = 1 << 20;

/// What scrypt may take of memory, as `n * r` blocks of 128 bytes: 512 MiB.
const MOST_MEMORY: u64 = 1 << 22;

const SALT_CHARS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A hash of a password, to be stored in its place: by scrypt, with a random salt of 16 characters (Werkzeug's
/// `generate_password_hash`, with its default method).
///
/// It takes some 60 ms and 32 MiB, on purpose: whoever steals the hashes has to spend that on each guess.
/// Without optimisation it takes two seconds: for debug builds, `[profile.dev.package."*"]` with `opt-level = 3` in the app's
/// `Cargo.toml` compiles the dependencies alone as for a release.
///
/// ```
/// use dewar::{check_password_hash, generate_password_hash};
///
/// let hash = generate_password_hash("correct horse");
/// assert!(hash.starts_with("scrypt:32768:8:1$"));
/// assert!(check_password_hash(&hash, "correct horse"));
/// ```
///
/// # Panics
/// When the operating system has no random bytes.
#[must_use]
pub fn generate_password_hash(password: &str) -> String {
    hashed(Method::DEFAULT, &salt(16), password)
}

/// As [`generate_password_hash`], with a method and a number of characters for the salt (Werkzeug's arguments `method` and
/// `salt_length`).
///
/// The methods are `scrypt`, `scrypt:n:r:p`, `pbkdf2`, `pbkdf2:digest` and `pbkdf2:digest:iterations`. `n` is a power of
/// two; a digest is `sha1`, `sha224`, `sha256`, `sha384` or `sha512`. What is not said is `scrypt:32768:8:1` and
/// `pbkdf2:sha256:1000000`.
///
/// ```
/// use dewar::{check_password_hash, generate_password_hash_with};
///
/// let hash = generate_password_hash_with("correct horse", "scrypt:128:8:1", 8)?;
/// assert!(check_password_hash(&hash, "correct horse"));
/// assert!(generate_password_hash_with("correct horse", "md5", 8).is_err());
/// # Ok::<(), dewar::Error>(())
/// ```
///
/// # Errors
/// When there is no such method, its numbers are none, or would take many seconds or more than 512 MiB; and for a salt of
/// no characters.
///
/// # Panics
/// When the operating system has no random bytes.
#[track_caller]
pub fn generate_password_hash_with(password: &str, method: &str, salt_length: usize) -> Result<String> {
    let Some(known) = Method::parse(method) else {
        return Err(Error::msg(format!(
            "{method:?} is no method for password hashes: use \"scrypt\", \"scrypt:n:r:p\" with n a power of two and n·r·p \
             at most 2^24 and r·p at most 2^20, or \"pbkdf2:sha256:iterations\" with at most {MOST_ITERATIONS}"
        )))
        .here();
    };
    if salt_length == 0 {
        return Err(Error::msg("a password hash needs a salt of one character at least, and 16 are usual")).here();
    }
    Ok(hashed(known, &salt(salt_length), password))
}

/// Whether a stored hash is this password's (Werkzeug's `check_password_hash`).
///
/// Hashes by scrypt and by pbkdf2 are known, with any parameters that [`generate_password_hash_with`] takes. A hash of
/// another kind, a damaged one, and one whose parameters would take many seconds or more than 512 MiB is nobody's: `false`.
///
/// It takes as long as it took to make the hash, right or wrong.
///
/// ```
/// use dewar::check_password_hash;
///
/// let hash = "pbkdf2:sha256:10$abcdefgh$147986a282b0684cc782e54d97eba5d197f1eaa81d1b78efc28ac73edd982ab4";
/// assert!(check_password_hash(hash, "secret"));
/// assert!(!check_password_hash(hash, "Secret"));
/// assert!(!check_password_hash("secret", "secret"), "what is no hash is nobody's");
/// ```
#[must_use]
pub fn check_password_hash(hash: &str, password: &str) -> bool {
    let mut parts = hash.splitn(3, '$');
    let (Some(method), Some(salt), Some(stored)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let Some(method) = Method::parse(method) else { return false };
    same(method.hex(salt, password).as_bytes(), stored.as_bytes())
}

/// Compares in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && black_box(a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b))) == 0
}

fn hashed(method: Method, salt: &str, password: &str) -> String {
    format!("{}${salt}${}", method.name(), method.hex(salt, password))
}

/// Letters and digits, each as likely as the others.
fn salt(length: usize) -> String {
    let mut salt = String::with_capacity(length);
    let mut bytes = [0; 32];
    while salt.len() < length {
        random::fill(&mut bytes);
        // What is beyond the last whole multiple of 62 would favour the first characters.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| SALT_CHARS[usize::from(byte % 62)] as char);
        salt.extend(fair.take(length - salt.len()));
    }
    salt
}

#[derive(Debug, Clone, Copy)]
enum Method {
    Scrypt { log_n: u8, r: u32, p: u32 },
    Pbkdf2 { hash: Hash, iterations: u32 },
}

#[derive(Debug, Clone, Copy)]
enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

const HASHES: [(&str, Hash); 5] = [
    ("sha1", Hash::Sha1),
    ("sha224", Hash::Sha224),
    ("sha256", Hash::Sha256),
    ("sha384", Hash::Sha384),
    ("sha512", Hash::Sha512),
];

impl Method {
    const DEFAULT: Method = Method::Scrypt { log_n: 15, r: 8, p: 1 };

    fn parse(text: &str) -> Option<Method> {
        let mut parts = text.split(':');
        let name = parts.next()?;
        let args: Vec<&str> = parts.collect();
        match (name, &args[..]) {
            ("scrypt", []) => Some(Method::DEFAULT),
            ("scrypt", [n, r, p]) => Method::scrypt(n.parse().ok()?, r.parse().ok()?, p.parse().ok()?),
            ("pbkdf2", []) => Some(Method::Pbkdf2 { hash: Hash::Sha256, iterations: ITERATIONS }),
            ("pbkdf2", [hash]) => Some(Method::Pbkdf2 { hash: Hash::named(hash)?, iterations: ITERATIONS }),
            ("pbkdf2", [hash, iterations]) => {
                let iterations = iterations.parse().ok().filter(|n| (1..=MOST_ITERATIONS).contains(n))?;
                Some(Method::Pbkdf2 { hash: Hash::named(hash)?, iterations })
            }
            _ => None,
        }
    }

    fn scrypt(n: u64, r: u32, p: u32) -> Option<Method> {
        let memory = n.checked_mul(u64::from(r)).filter(|memory| *memory <= MOST_MEMORY)?;
        let work = memory.checked_mul(u64::from(p))?;
        let log_n = u8::try_from(n.checked_ilog2()?).ok()?;
        let blocks = u64::from(r) * u64::from(p);
        let bounded = work <= MOST_WORK && blocks <= MOST_BLOCKS;
        let fine = n > 1 && n.is_power_of_two() && bounded && scrypt::Params::new(log_n, r, p).is_ok();
        fine.then_some(Method::Scrypt { log_n, r, p })
    }

    fn name(self) -> String {
        match self {
            Method::Scrypt { log_n, r, p } => format!("scrypt:{}:{r}:{p}", 1_u64 << log_n),
            Method::Pbkdf2 { hash, iterations } => format!("pbkdf2:{}:{iterations}", hash.name()),
        }
    }

    /// The hash of the password, in hexadecimal digits.
    fn hex(self, salt: &str, password: &str) -> String {
        let (salt, password) = (salt.as_bytes(), password.as_bytes());
        let mut out = [0; 64];
        let out = match self {
            Method::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(log_n, r, p).expect("they were checked when they were read");
                scrypt::scrypt(password, salt, &params, &mut out).expect("64 bytes are a length that scrypt gives");
                &out[..]
            }
            Method::Pbkdf2 { hash, iterations } => {
                let out = &mut out[..hash.size()];
                match hash {
                    Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, out),
                    Hash::Sha224 => pbkdf2::pbkdf2_hmac::<Sha224>(password, salt, iterations, out),
                    Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, out),
                    Hash::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, iterations, out),
                    Hash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, out),
                }
                out
            }
        };
        out.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Hash {
    fn named(name: &str) -> Option<Hash> {
        HASHES.iter().find(|(known, _)| *known == name).map(|(_, hash)| *hash)
    }

    fn name(self) -> &'static str {
        match self {
            Hash::Sha1 => "sha1",
            Hash::Sha224 => "sha224",
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        }
    }

    /// In bytes.
    fn size(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha224 => 28,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }
}
