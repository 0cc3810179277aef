//! Rules, matching, building.

mod building;
mod grammar;
mod matching;
mod properties;
