//! Dewar.
