//! The lab: what a fragment costs on each kind of event loop, measured here and now, drawn as an SVG on the server.

use std::future::ready;
use std::hint::black_box;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use dewar::bridge::{self, BridgeError, LoopPolicy};
use dewar::{IntoResponse, Request, Response, Result, context, render};
use plotters::prelude::*;
use serde::Serialize;

const FRAGMENTS: RangeInclusive<usize> = 1..=20_000;

pub(crate) fn lab(request: Request) -> Result<Response> {
    let Some(n) = request.args().get("n") else {
        return render("lab.html", context! { n => 2000, most => FRAGMENTS.end() })?.into_response();
    };
    let Some(count) = n.trim().parse().ok().filter(|count| FRAGMENTS.contains(count)) else {
        let mistake = format!("A whole number from {} to {}, please.", FRAGMENTS.start(), FRAGMENTS.end());
        return (render("lab.html", context! { n, most => FRAGMENTS.end(), mistake })?, 422).into_response();
    };
    let rows = measure(count)?;
    let (chart, meaning) = (chart(&rows)?, meaning(&rows));
    render("lab.html", context! { n, most => FRAGMENTS.end(), rows, chart, meaning })?.into_response()
}

/// A way to run a fragment, and how long it took, in nanoseconds.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    what: &'static str,
    fragments: usize,
    median: u64,
    p99: u64,
}

/// Runs `n` fragments that are ready at once in every scope: what is left is what the loop costs.
fn measure(n: usize) -> Result<Vec<Row>> {
    // One run at a time: two would measure one another.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);

    // A thread costs so much more that fewer of them say as much.
    let threads = (n / 20).clamp(1, 500);
    Ok(vec![
        time("No fragment", "the clock alone, read twice: part of every figure", n, || Ok(()))?,
        time("PerThread", "the worker thread’s own loop, used again", n, || {
            bridge::block_on_with(LoopPolicy::per_thread(), ready(()))
        })?,
        time("PerRequest", "a fresh loop for each fragment, then dropped", n, || {
            bridge::block_on_with(LoopPolicy::per_request(), ready(()))
        })?,
        time("Shared", "to the background loop on another thread, and back", n, || {
            bridge::spawn_shared(ready(())).join()
        })?,
        time("own_thread", "a fresh thread with a fresh loop, as Flask’s async views", threads, || {
            bridge::own_thread(async || ())
        })?,
    ])
}

fn time(
    name: &'static str,
    what: &'static str,
    fragments: usize,
    run: impl Fn() -> Result<(), BridgeError>,
) -> Result<Row> {
    run()?; // what is made once is made here
    let mut times = Vec::with_capacity(fragments);
    for _ in 0..fragments {
        let start = Instant::now();
        black_box(run())?;
        times.push(start.elapsed().as_nanos() as u64);
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    Ok(Row { name, what, fragments, median: at(50), p99: at(99) })
}

/// What the chart says, in a sentence.
fn meaning(rows: &[Row]) -> String {
    let median = |name: &str| rows.iter().find(|row| row.name == name).map_or(0, |row| row.median);
    let clock = median("No fragment");
    let cost = |name: &str| median(name).saturating_sub(clock).max(1);
    let reused = cost("PerThread");
    let times = |name: &str| match cost(name) as f64 / reused as f64 {
        ratio if ratio < 10.0 => format!("{ratio:.1} times"),
        ratio => {
            // Two digits: the next run has other ones behind them.
            let unit = 10_f64.powf(ratio.log10().floor() - 1.0);
            format!("{:.0} times", (ratio / unit).round() * unit)
        }
    };
    format!(
        "On this machine, just now, a fragment on the worker’s own loop cost {} at the median, with the clock’s own {} \
         taken off. A fresh loop for each cost {} as much; the way to the shared loop on another thread and back, {}; \
         and a fresh thread with a loop of its own, which is what Flask starts for each async view, {}. So reuse the \
         loop, and pay for a thread only where work must outlive the request or would block it.",
        in_words(reused),
        in_words(clock),
        times("PerRequest"),
        times("Shared"),
        times("own_thread"),
    )
}

/// `870 ns`, `4.2 µs`, `31 ms`.
pub(crate) fn in_words(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..10_000 => format!("{:.1} µs", ns as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        _ => format!("{:.1} ms", ns as f64 / 1e6),
    }
}

// The style sheet knows these colours, and has others for the dark.
const INK: RGBColor = RGBColor(0x1b, 0x27, 0x31);
const GRID: RGBColor = RGBColor(0xd9, 0xdf, 0xe3);
const MEDIAN: RGBColor = RGBColor(0x0b, 0x6e, 0x69);
const P99: RGBColor = RGBColor(0xd4, 0x8a, 0x28);

/// Two bars for each row on a logarithmic scale. It is narrow, so that it can be read on a phone too.
fn chart(rows: &[Row]) -> Result<String> {
    let slowest = rows.iter().map(|row| row.p99).max().unwrap_or(1) as f64;
    let range = 10.0..10_f64.powf(slowest.max(100.0).log10().ceil());

    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (360, 330)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin_right(22)
            .margin_left(16)
            .x_label_area_size(26)
            .build_cartesian_2d(range.clone().log_scale(), (rows.len() as f64)..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .max_light_lines(0)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_label_formatter(&|ns| in_words(ns.round() as u64).replace(".0", ""))
            .x_label_style(("sans-serif", 12).into_font().color(&INK))
            .draw()?;
        for (i, row) in rows.iter().enumerate() {
            let top = i as f64;
            chart.draw_series([(row.median, top + 0.40, MEDIAN), (row.p99, top + 0.64, P99)].map(
                |(ns, y, colour)| {
                    let end = (ns as f64).max(range.start * 1.02);
                    Rectangle::new([(range.start, y), (end, y + 0.22)], colour.filled())
                },
            ))?;
            let label = format!("{}: {}, p99 {}", row.name, in_words(row.median), in_words(row.p99));
            let font = ("sans-serif", 14).into_font().color(&INK);
            chart.draw_series([Text::new(label, (range.start * 1.03, top + 0.13), font)])?;
        }
        area.present()?;
    }
    Ok(svg)
}
