//! Random bytes that nobody can guess, from the operating system.

/// Fills the bytes.
///
/// # Panics
/// When the operating system has none: it does not start before it has, so nothing could be done about it here.
pub(crate) fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
}
