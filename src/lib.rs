//! Dewar.

pub mod routing;
