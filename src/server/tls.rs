//! The certificate and the key that a server shows to clients of `https://`.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};

/// What a server needs for TLS: see [`Server::tls`](super::Server::tls).
///
/// ```no_run
/// use dewar::server::{Server, TlsConfig};
///
/// let tls = TlsConfig::from_pem_files("site.crt", "site.key")?;
/// let server = Server::bind("0.0.0.0:443")?.tls(tls);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// TLS 1.2 and 1.3 are spoken, and clients show no certificates. For more, hand over a [`rustls::ServerConfig`] of your
/// own, with `http/1.1` among its `alpn_protocols`.
#[derive(Clone)]
pub struct TlsConfig(Arc<ServerConfig>);

impl TlsConfig {
    /// From files in the PEM format: the certificate, followed by those that lead to one that clients know, and its key.
    /// They are read once; a new certificate is shown after a restart.
    ///
    /// # Errors
    /// When a file cannot be read, or what is in it does not fit. The message says what to do about it.
    pub fn from_pem_files(cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<TlsConfig, TlsError> {
        let (cert, key) = (cert.as_ref(), key.as_ref());
        let read = |path: &Path| std::fs::read(path).map_err(|error| TlsError::of(path.display(), Wrong::File(error)));
        let (cert_pem, key_pem) = (read(cert)?, read(key)?);
        TlsConfig::build(&cert_pem, &key_pem, &cert.display(), &key.display())
    }

    /// From the contents of such files.
    ///
    /// # Errors
    /// As [`from_pem_files`](TlsConfig::from_pem_files).
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<TlsConfig, TlsError> {
        TlsConfig::build(cert, key, &"the certificate", &"the key")
    }

    /// From PEM that is named so in errors.
    fn build(
        cert: &[u8],
        key: &[u8],
        cert_name: &dyn fmt::Display,
        key_name: &dyn fmt::Display,
    ) -> Result<TlsConfig, TlsError> {
        let chain = CertificateDer::pem_slice_iter(cert).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| TlsError::of(cert_name, Wrong::Pem(error)))?;
        if chain.is_empty() {
            return Err(TlsError::of(cert_name, Wrong::NoCertificate { key: has(cert, b"PRIVATE KEY-----") }));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            let wrong = match error {
                pem::Error::NoItemsFound if has(key, b"BEGIN ENCRYPTED PRIVATE KEY") => Wrong::Encrypted,
                pem::Error::NoItemsFound => Wrong::NoKey { cert: has(key, b"BEGIN CERTIFICATE") },
                // The old way of encryption has headers, which are no base64.
                _ if has(key, b"ENCRYPTED") => Wrong::Encrypted,
                error => Wrong::Pem(error),
            };
            TlsError::of(key_name, wrong)
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::of(key_name, Wrong::NotItsKey { cert: cert_name.to_string() })
            }
            error => TlsError::of(format_args!("{cert_name} with {key_name}"), Wrong::Other(error)),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConfig(Arc::new(config)))
    }

    /// What the engine gives to rustls.
    #[cfg(unix)]
    pub(crate) fn rustls(&self) -> &Arc<ServerConfig> {
        &self.0
    }
}

fn has(pem: &[u8], words: &[u8]) -> bool {
    memchr::memmem::find(pem, words).is_some()
}

impl From<Arc<ServerConfig>> for TlsConfig {
    /// Everything is as it was set there, the protocols that are offered (ALPN) too.
    fn from(config: Arc<ServerConfig>) -> TlsConfig {
        TlsConfig(config)
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").field("alpn_protocols", &self.0.alpn_protocols.len()).finish_non_exhaustive()
    }
}

/// A certificate and a key cannot be served with. The message says which of them, and what to do about it.
#[derive(Debug)]
pub struct TlsError {
    /// The file, or what it would be.
    name: String,
    wrong: Wrong,
}

#[derive(Debug)]
enum Wrong {
    File(io::Error),
    Pem(pem::Error),
    NoCertificate { key: bool },
    NoKey { cert: bool },
    Encrypted,
    NotItsKey { cert: String },
    Other(rustls::Error),
}

impl TlsError {
    fn of(name: impl fmt::Display, wrong: Wrong) -> TlsError {
        TlsError { name: name.to_string(), wrong }
    }
}

const SWAPPED: &str = "are certificate and key swapped?";

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.wrong {
            Wrong::File(error) => {
                write!(f, "{name} cannot be read: {error}")?;
                if error.kind() == io::ErrorKind::PermissionDenied {
                    write!(f, "; it must be readable by the user that the server runs as")?;
                }
                Ok(())
            }
            Wrong::Pem(error) => {
                write!(f, "{name} is damaged, or no PEM: {error:?}. Take it once more from where it was issued")
            }
            Wrong::NoCertificate { key: true } => {
                write!(f, "no certificate is in {name}, but a private key is: {SWAPPED}")
            }
            Wrong::NoCertificate { key: false } => {
                write!(
                    f,
                    "no certificate is in {name}: PEM is wanted, with a line -----BEGIN CERTIFICATE-----; what is "
                )?;
                write!(f, "binary (DER) is made so by `openssl x509 -inform der -in FILE -out FILE.pem`")
            }
            Wrong::NoKey { cert: true } => write!(f, "no private key is in {name}, but a certificate is: {SWAPPED}"),
            Wrong::NoKey { cert: false } => {
                write!(
                    f,
                    "no private key is in {name}: PEM is wanted, with a line -----BEGIN PRIVATE KEY-----; what is "
                )?;
                write!(f, "binary (DER) is made so by `openssl pkey -inform der -in FILE -out FILE.pem`")
            }
            Wrong::Encrypted => {
                write!(
                    f,
                    "the private key in {name} has a passphrase, which nobody is there to type: remove it with "
                )?;
                write!(f, "`openssl pkey -in FILE -out OTHER`, and let only the server's user read the new file")
            }
            Wrong::NotItsKey { cert } => {
                write!(
                    f,
                    "the private key in {name} does not belong to the first certificate in {cert}: the site's own "
                )?;
                write!(f, "certificate must come first, and both must be from the same request")
            }
            Wrong::Other(error) => write!(f, "{name} cannot be served with: {error}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.wrong {
            Wrong::File(error) => Some(error),
            Wrong::Pem(error) => Some(error),
            Wrong::Other(error) => Some(error),
            _ => None,
        }
    }
}
