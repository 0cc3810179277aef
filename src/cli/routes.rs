//! `routes`: what the app answers, as Flask prints it.

use clap::ArgMatches;
use http::Method;

use crate::app::{AppService, Invocation};

/// A line: its endpoint, its methods, its rule.
type Row = [String; 3];

const HEADERS: [&str; 3] = ["Endpoint", "Methods", "Rule"];

pub(super) fn write(service: &AppService, to: &Invocation) {
    let rows = rows(service, to.get_flag("all-methods"));
    if rows.is_empty() {
        return to.echo("No routes were registered.");
    }
    table(sorted(rows, to)).iter().for_each(|line| to.echo(line));
}

fn rows(service: &AppService, all: bool) -> Vec<Row> {
    let shown = |method: &Method| all || !matches!(*method, Method::HEAD | Method::OPTIONS);
    let rules = service.site().router.rules();
    let rows = rules.map(|(_, rule, endpoint)| {
        let methods: Vec<_> = rule.allowed().unwrap_or_default().into_iter().filter(shown).collect();
        let mut names: Vec<_> = methods.iter().map(Method::as_str).collect();
        names.sort_unstable();
        [endpoint.to_owned(), names.join(", "), rule.text().to_owned()]
    });
    rows.collect()
}

/// By one column; what is equal there stays in the order of registration.
fn sorted(mut rows: Vec<Row>, args: &ArgMatches) -> Vec<Row> {
    let by = args.get_one::<String>("sort").map_or("endpoint", String::as_str);
    if let Some(column) = HEADERS.iter().position(|header| header.eq_ignore_ascii_case(by)) {
        rows.sort_by(|a, b| a[column].cmp(&b[column]));
    }
    rows
}

/// With a header and a rule below it; every column but none is as wide as its widest text.
fn table(rows: Vec<Row>) -> Vec<String> {
    let wide = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADERS[column].len()]).max().unwrap_or(0)
    };
    let widths = [wide(0), wide(1), wide(2)];
    let line = |row: &[String; 3]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ")
    };
    let mut lines = vec![line(&HEADERS.map(str::to_owned)), line(&widths.map(|width| "-".repeat(width)))];
    lines.extend(rows.iter().map(line));
    lines
}
