//! Dewar.

pub mod bridge;
