//! Rules, matching, building.

mod building;
mod grammar;
mod hosts;
mod matching;
mod properties;
