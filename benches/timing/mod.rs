//! How the benches time a call: the median of 15 runs of as many calls as take about 10 ms. No statistics package.

use std::time::{Duration, Instant};

pub(crate) const RUNS: usize = 15;
const RUN: Duration = Duration::from_millis(10);

/// Nanoseconds per call: (median, fastest).
pub(crate) fn time(mut f: impl FnMut()) -> (f64, f64) {
    let mut calls = 1_u32;
    while run(calls, &mut f) < RUN {
        calls *= 2;
    }
    let mut runs: Vec<f64> = (0..RUNS).map(|_| run(calls, &mut f).as_nanos() as f64 / f64::from(calls)).collect();
    runs.sort_by(f64::total_cmp);
    (runs[RUNS / 2], runs[0])
}

fn run(calls: u32, f: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        f();
    }
    start.elapsed()
}

/// Prints a line for `f`: the median and the fastest run, in nanoseconds per call.
pub(crate) fn line(name: &str, f: impl FnMut()) {
    let (median, fastest) = time(f);
    println!("{name:<58} {median:>9.1} ns   (fastest {fastest:.1})");
}
