//! `routes`: what the app answers, as Flask prints it.

use clap::ArgMatches;
use http::Method;

use crate::app::{AppService, Invocation};

/// A line: its endpoint, its methods, its host or subdomain, its rule.
type Row = [String; 4];

const DOMAIN: usize = 2;

pub(super) fn write(service: &AppService, to: &Invocation) {
    let rows = rows(service, to.get_flag("all-methods"));
    if rows.is_empty() {
        return to.echo("No routes were registered.");
    }
    let hosts = if service.site().hosts.host_matching { "Host" } else { "Subdomain" };
    table(["Endpoint", "Methods", hosts, "Rule"], sorted(rows, to)).iter().for_each(|line| to.echo(line));
}

fn rows(service: &AppService, all: bool) -> Vec<Row> {
    let shown = |method: &Method| all || !matches!(*method, Method::HEAD | Method::OPTIONS);
    let rules = service.site().router.rules();
    let rows = rules.map(|(_, rule, endpoint)| {
        let methods: Vec<_> = rule.allowed().unwrap_or_default().into_iter().filter(shown).collect();
        let mut names: Vec<_> = methods.iter().map(Method::as_str).collect();
        names.sort_unstable();
        let domain = rule.host().unwrap_or_default().to_owned();
        [endpoint.to_owned(), names.join(", "), domain, rule.text().to_owned()]
    });
    rows.collect()
}

/// By one column; what is equal there stays in the order of registration, which is also what `match` is.
fn sorted(mut rows: Vec<Row>, args: &ArgMatches) -> Vec<Row> {
    let by = args.get_one::<String>("sort").map_or("endpoint", String::as_str);
    if let Some(column) = ["endpoint", "methods", "domain", "rule"].iter().position(|name| *name == by) {
        rows.sort_by(|a, b| a[column].cmp(&b[column]));
    }
    rows
}

/// With a header and a line of dashes below it; every column is as wide as its widest text. That of hosts is left out
/// where no rule has one.
fn table(headers: [&str; 4], rows: Vec<Row>) -> Vec<String> {
    let has_domain = rows.iter().any(|row| !row[DOMAIN].is_empty());
    let widths: [usize; 4] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headers[column].len()]).max().unwrap_or(0)
    });
    let line = |row: &Row| {
        let cells = row.iter().zip(widths).enumerate().filter(|(column, _)| has_domain || *column != DOMAIN);
        let cells: Vec<_> = cells.map(|(_, (cell, width))| format!("{cell:<width$}")).collect();
        cells.join("  ")
    };
    let mut lines = vec![line(&headers.map(str::to_owned)), line(&widths.map(|width| "-".repeat(width)))];
    lines.extend(rows.iter().map(line));
    lines
}
