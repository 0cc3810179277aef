//! See `tests/claim.rs` and `tests/waiters.rs`: `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml`.
