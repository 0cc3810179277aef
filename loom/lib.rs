//! See `tests/claim.rs`, `tests/waiters.rs` and `tests/sleep.rs`:
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml`.
