//! The lab itself: what an event loop per request costs, measured here and now. The program around it is `main.rs`; the
//! tour has it as one of its pages.
//!
//! | file | has |
//! | --- | --- |
//! | `loops.rs` | the kinds of loops that are compared: one entry each |
//! | `work.rs`, `endpoint.rs` | what a fragment does, and the slow service that it fetches from |
//! | `plan.rs` | what is measured, as a visitor or the command line asks for it |
//! | `measure.rs`, `cell.rs`, `histogram.rs`, `process.rs` | the measuring |
//! | `flask.rs`, `flask_baseline.py` | the same figures of Flask |
//! | `report.rs`, `charts.rs` | what came out, as JSON, CSV, tables, words and SVG |
//! | `live.rs`, `page.rs` | one run at a time, seen by all who watch; the page and its events |

pub(crate) mod cell;
pub(crate) mod charts;
pub(crate) mod endpoint;
pub(crate) mod flask;
pub(crate) mod histogram;
pub(crate) mod live;
pub(crate) mod loops;
pub(crate) mod measure;
pub(crate) mod page;
pub(crate) mod plan;
pub(crate) mod process;
pub(crate) mod report;
pub(crate) mod work;
