//! The charts, drawn as SVG on the server. The style sheet knows their colours, and has others for the dark.

use dewar::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::report::{Row, count, time};

const INK: RGBColor = RGBColor(0x1b, 0x27, 0x31);
const GRID: RGBColor = RGBColor(0xd9, 0xdf, 0xe3);
const FIRST: RGBColor = RGBColor(0x0b, 0x6e, 0x69);
const SECOND: RGBColor = RGBColor(0xd4, 0x8a, 0x28);

/// One for each kind, in their order; the ninth has the first again, and hollow dots.
pub(crate) const LINES: [RGBColor; 8] = [
    RGBColor(0x5b, 0x67, 0x70),
    RGBColor(0x0b, 0x6e, 0x69),
    RGBColor(0x2f, 0x5f, 0xb3),
    RGBColor(0x8a, 0x3f, 0xa0),
    RGBColor(0xc2, 0x41, 0x0c),
    RGBColor(0xa3, 0x12, 0x3f),
    RGBColor(0x4d, 0x7c, 0x0f),
    RGBColor(0x8a, 0x6d, 0x00),
];

/// Charts are so wide that they can be read on a phone too.
const WIDTH: u32 = 360;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn svg(height: u32, draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// The powers of ten around these.
fn decades(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min).max(1.0);
    let most = values.fold(1.0, f64::max).max(least * 1.01);
    10_f64.powf(least.log10().floor())..10_f64.powf(most.log10().ceil())
}

/// Two bars for each label, of nanoseconds, on a logarithmic scale.
pub(crate) fn bars(pairs: &[(String, [u64; 2])]) -> Result<String> {
    // From half of the least: where the scale began right below it, its bar would look like none.
    let ends = |pair: &[u64; 2]| [pair[0].min(pair[1]) as f64 / 2.0, pair[0].max(pair[1]) as f64];
    let range = decades(pairs.iter().flat_map(|(_, pair)| ends(pair)));
    svg(46 * pairs.len() as u32 + 36, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(26)
            .margin_left(16)
            .x_label_area_size(26)
            .build_cartesian_2d(range.clone().log_scale(), (pairs.len() as f64)..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .max_light_lines(0)
            .bold_line_style(GRID)
            .light_line_style(GRID)
            .axis_style(GRID)
            .x_label_formatter(&|ns| mark(*ns))
            .x_label_style(("sans-serif", 12).into_font().color(&INK))
            .draw()?;
        for (i, (label, [first, second])) in pairs.iter().enumerate() {
            let top = i as f64;
            chart.draw_series([(*first, top + 0.42, FIRST), (*second, top + 0.66, SECOND)].map(
                |(ns, y, colour)| {
                    // What is at the very beginning of the scale is to be seen, too.
                    let end = (ns as f64).max(range.start * (range.end / range.start).powf(0.01));
                    Rectangle::new([(range.start, y), (end, y + 0.22)], colour.filled())
                },
            ))?;
            let font = ("sans-serif", 14).into_font().color(&INK);
            chart.draw_series([Text::new(label.clone(), (range.start * 1.01, top + 0.11), font)])?;
        }
        Ok(())
    })
}

/// What stands at a line of the grid. Within one decade there are lines for all digits, and no room for so many words.
fn mark(ns: f64) -> String {
    let digit = (ns / 10_f64.powf(ns.log10().floor())).round() as u32;
    match digit {
        1 | 2 | 5 | 10 => time(ns.round() as u64).replace(".00", "").replace(".0", ""),
        _ => String::new(),
    }
}

/// Fragments per second against the number of threads, a line for each kind, both on logarithmic scales.
pub(crate) fn lines(rows: &[&Row]) -> Result<String> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut threads: Vec<usize> = Vec::new();
    for row in rows {
        if !kinds.contains(&row.kind.as_str()) {
            kinds.push(&row.kind);
        }
        if !threads.contains(&row.concurrency) {
            threads.push(row.concurrency);
        }
    }
    threads.sort_unstable();
    let range = decades(rows.iter().map(|row| row.per_second));
    // Each number of threads is twice the one before, or more: one step each makes that scale.
    let steps = 0..(threads.len() as i32 - 1).max(1);
    let names = kinds.iter().map(|kind| kind.chars().count()).max().unwrap_or(0).min(18) as u32;

    svg(330.max(20 * kinds.len() as u32 + 60), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(12)
            .margin_right(22 + 7 * names)
            .y_label_area_size(44)
            .x_label_area_size(26)
            .build_cartesian_2d(steps, range.log_scale())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            // Of no lines at all, a scale of whole numbers cannot be made; these are not drawn.
            .x_max_light_lines(1)
            .y_max_light_lines(0)
            .bold_line_style(GRID)
            .light_line_style(GRID)
            .axis_style(GRID)
            .x_labels(threads.len())
            .x_label_formatter(&|step| threads.get(*step as usize).map_or(String::new(), |n| n.to_string()))
            .y_label_formatter(&|n| count(*n).replace(".0", ""))
            .label_style(("sans-serif", 12).into_font().color(&INK))
            .draw()?;

        let mut ends = Vec::new();
        for (i, kind) in kinds.iter().enumerate() {
            let (colour, hollow) = (LINES[i % LINES.len()], i >= LINES.len());
            let points = rows.iter().filter(|row| row.kind == *kind);
            let step = |row: &Row| threads.iter().position(|n| *n == row.concurrency).unwrap_or(0) as i32;
            let points: Vec<_> = points.map(|row| (step(row), row.per_second)).collect();
            chart.draw_series([PathElement::new(points.clone(), colour.stroke_width(2))])?;
            let dot = if hollow { colour.stroke_width(2) } else { colour.filled() };
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, dot)))?;
            if let Some(last) = points.last() {
                ends.push((chart.backend_coord(last), *kind, colour));
            }
        }
        let (bottom, height) = (26, area.dim_in_pixel().1 as i32);
        for ((x, _), y, kind, colour) in apart(ends, 12..height - bottom) {
            area.draw(&Rectangle::new([(x + 10, y - 5), (x + 14, y + 5)], colour.filled()))?;
            area.draw(&Text::new(kind.to_owned(), (x + 18, y - 5), ("sans-serif", 13).into_font().color(&INK)))?;
        }
        Ok(())
    })
}

type End<'a> = ((i32, i32), &'a str, RGBColor);

/// Where the labels go: at the ends of their lines, but not one over the other, and within `room`.
fn apart(mut ends: Vec<End<'_>>, room: std::ops::Range<i32>) -> Vec<((i32, i32), i32, &str, RGBColor)> {
    const LINE: i32 = 17;
    ends.sort_by_key(|((_, y), ..)| *y);
    let right = ends.iter().map(|((x, _), ..)| *x).max().unwrap_or(0);
    // Downwards, each below the one before; then up again from the bottom, where they went too far.
    let mut lines: Vec<i32> = Vec::new();
    for ((_, y), ..) in &ends {
        lines.push((*y).max(lines.last().map_or(room.start, |above| above + LINE)));
    }
    let mut below = room.end;
    for line in lines.iter_mut().rev() {
        *line = (*line).min(below);
        below = *line - LINE;
    }
    ends.into_iter().zip(lines).map(|(((_, y), kind, colour), line)| ((right, y), line, kind, colour)).collect()
}
