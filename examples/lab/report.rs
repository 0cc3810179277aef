//! What came out: rows, and how they are written down.

use dewar::Result;
use serde::{Deserialize, Serialize};

use super::measure::Event;

/// What was measured of one kind of loop, with one sort of fragment and so many threads. The names are those of the
/// JSON and of the CSV.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    /// `dewar` or `flask`.
    pub(crate) source: String,
    pub(crate) work: String,
    pub(crate) kind: String,
    /// How many threads ran fragments at once.
    pub(crate) concurrency: usize,
    /// How many were run, each thread's first among them, which is not timed.
    pub(crate) fragments: u64,
    /// How many event loops were made for them.
    pub(crate) loops: Option<u64>,
    /// The mean.
    pub(crate) ns_per_fragment: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    /// By all threads together.
    pub(crate) per_second: f64,
    /// The most threads that the process had meanwhile, those that measure included.
    pub(crate) threads: Option<u64>,
    /// The most memory that the process had in use meanwhile.
    pub(crate) resident_kib: Option<u64>,
    /// The processor's time that the whole process took meanwhile, shared out among the fragments.
    pub(crate) cpu_us_per_fragment: Option<f64>,
}

/// A run's result.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// A column's name, and what is there as a bare number.
pub(crate) type Column = (&'static str, fn(&Row) -> String);

pub(crate) const COLUMNS: [Column; 13] = [
    ("source", |row| row.source.clone()),
    ("work", |row| row.work.clone()),
    ("kind", |row| row.kind.clone()),
    ("concurrency", |row| row.concurrency.to_string()),
    ("fragments", |row| row.fragments.to_string()),
    ("loops", |row| or_nothing(row.loops)),
    ("ns_per_fragment", |row| row.ns_per_fragment.to_string()),
    ("p50_ns", |row| row.p50_ns.to_string()),
    ("p99_ns", |row| row.p99_ns.to_string()),
    ("per_second", |row| format!("{:.1}", row.per_second)),
    ("threads", |row| or_nothing(row.threads)),
    ("resident_kib", |row| or_nothing(row.resident_kib)),
    ("cpu_us_per_fragment", |row| row.cpu_us_per_fragment.map_or(String::new(), |us| format!("{us:.3}"))),
];

fn or_nothing(number: Option<u64>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

impl Report {
    /// Keeps what is to be kept of an event.
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Row(row) => self.rows.push(row),
            Event::Note(note) => self.notes.push(note),
            Event::Progress(..) => {}
        }
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// RFC 4180, with a head.
    pub(crate) fn csv(&self) -> String {
        let quoted = |text: String| match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        };
        self.lines(",", "\r\n", quoted)
    }

    /// For spreadsheets. No name has a tab in it.
    pub(crate) fn tsv(&self) -> String {
        self.lines("\t", "\n", |text| text)
    }

    fn lines(&self, between: &str, end: &str, cell: impl Fn(String) -> String) -> String {
        let head = COLUMNS.map(|(name, _)| name).join(between) + end;
        let line = |row: &Row| COLUMNS.map(|(_, get)| cell(get(row))).join(between) + end;
        head + &self.rows.iter().map(line).collect::<String>()
    }

    /// For slides and notes: with units.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "| work | kind | threads | fragments | loops | p50 | p99 | per second | CPU each | process: threads | memory |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for row in &self.rows {
            let dash = || "–".to_owned();
            let cells = [
                row.work.clone(),
                row.kind.clone(),
                row.concurrency.to_string(),
                row.fragments.to_string(),
                row.loops.map_or_else(dash, |loops| loops.to_string()),
                time(row.p50_ns),
                time(row.p99_ns),
                count(row.per_second),
                row.cpu_us_per_fragment.map_or_else(dash, |us| time((us * 1e3) as u64)),
                row.threads.map_or_else(dash, |threads| threads.to_string()),
                row.resident_kib.map_or_else(dash, memory),
            ];
            text += &format!("| {} |\n", cells.join(" | "));
        }
        text
    }

    /// What the figures say, in a sentence or two for each sort of fragment.
    pub(crate) fn meaning(&self) -> Vec<String> {
        let mut meaning: Vec<String> = self.works().into_iter().filter_map(|work| self.meaning_of(work)).collect();
        meaning.extend(self.meaning_of_tokio());
        meaning.extend(self.meaning_of_turns());
        meaning.extend(self.meaning_of_flask());
        meaning
    }

    /// The sorts of fragments that were measured.
    pub(crate) fn works(&self) -> Vec<&str> {
        let mut works: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !works.contains(&row.work.as_str()) {
                works.push(&row.work);
            }
        }
        works
    }

    /// The row of our own with the fewest threads.
    fn first(&self, work: &str, kind: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.source == "dewar" && row.work == work && row.kind == kind)
    }

    fn meaning_of(&self, work: &str) -> Option<String> {
        let none = self.first(work, "no loop")?;
        let kinds = ["PerThread", "PerRequest", "Shared", "own_thread"];
        let [reused, fresh, shared, own] = kinds.map(|kind| self.first(work, kind));
        let (reused, fresh, shared, own) = (reused?, fresh?, shared?, own?);
        let on = match none.concurrency {
            1 => "On one thread".to_owned(),
            threads => format!("With {threads} threads at once"),
        };
        if work != "ready" {
            let beyond = |row: &Row| match row.p50_ns.checked_sub(none.p50_ns) {
                Some(more) => format!("{} more", time(more)),
                None => format!("{} less", time(none.p50_ns - row.p50_ns)),
            };
            return Some(format!(
                "{on}, {work} took {} at the median without a loop; with PerThread {}, with PerRequest {}, with Shared {}, \
                 with own_thread {}.",
                time(none.p50_ns),
                beyond(reused),
                beyond(fresh),
                beyond(shared),
                beyond(own),
            ));
        }
        let cost = |row: &Row| row.p50_ns.saturating_sub(none.p50_ns).max(1);
        let times = |row: &Row| match cost(row) as f64 / cost(reused) as f64 {
            ratio if ratio < 10.0 => format!("{ratio:.1} times"),
            ratio => {
                // Two digits: the next run has other ones behind them.
                let unit = 10_f64.powf(ratio.log10().floor() - 1.0);
                format!("{:.0} times", (ratio / unit).round() * unit)
            }
        };
        Some(format!(
            "{on}, a fragment that is ready at once cost {} at the median on the thread’s own loop, with the clock’s own {} \
             taken off. A fresh loop for each cost {} as much; the way to the shared loop and back, {}; and a fresh thread \
             with a loop of its own, which is what Flask starts for each async view, {}.",
            time(cost(reused)),
            time(none.p50_ns),
            times(fresh),
            times(shared),
            times(own),
        ))
    }

    fn meaning_of_tokio(&self) -> Option<String> {
        let kinds = ["tokio Shared", "tokio PerThread", "tokio PerRequest"];
        let work = self.works().into_iter().find(|work| self.first(work, kinds[0]).is_some())?;
        let [shared, reused, fresh] = kinds.map(|kind| self.first(work, kind));
        Some(format!(
            "On tokio, {work} took {} in the process’s one runtime, {} in one of the thread’s own, and {} in a fresh one \
             for each fragment.",
            time(shared?.p50_ns),
            time(reused?.p50_ns),
            time(fresh?.p50_ns),
        ))
    }

    fn meaning_of_turns(&self) -> Option<String> {
        let (all, turns) = (self.first("fetch", "PerThread")?, self.first("fetch-in-turn", "PerThread")?);
        Some(format!(
            "What a loop is for: ten fetches one after the other took {}, all at once {}. Beside that, no price of a loop \
             counts.",
            time(turns.p50_ns),
            time(all.p50_ns),
        ))
    }

    fn meaning_of_flask(&self) -> Option<String> {
        let with = |kind: &str| self.rows.iter().find(|row| row.source == "flask" && row.kind == kind);
        let (sync, views, bare) = (with("flask sync view")?, with("flask async view")?, with("asyncio.run")?);
        Some(format!(
            "Flask, beside it, took {} for a sync view and {} for an async one; asyncio.run alone took {} ({}).",
            time(sync.p50_ns),
            time(views.p50_ns),
            time(bare.p50_ns),
            views.work,
        ))
    }
}

/// `870 ns`, `4.21 µs`, `31 µs`, `1.09 ms`, `2.0 s`.
pub(crate) fn time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..10_000 => format!("{:.2} µs", ns as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        1_000_000..10_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        10_000_000..100_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} ms", ns as f64 / 1e6),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}

/// `12`, `870`, `4.2 k`, `31 k`, `1.3 M`.
pub(crate) fn count(n: f64) -> String {
    match n {
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e4 => format!("{:.1} k", n / 1e3),
        n if n < 1e6 => format!("{:.0} k", n / 1e3),
        n => format!("{:.1} M", n / 1e6),
    }
}

/// `14 MB`.
pub(crate) fn memory(kib: u64) -> String {
    format!("{:.0} MB", kib as f64 * 1024.0 / 1e6)
}
