//! See `tests/claim.rs`: `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml`.
