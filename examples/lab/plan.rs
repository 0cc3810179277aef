//! What is measured, as a visitor or the command line asks for it.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use dewar::MultiDict;
use serde::Serialize;

use super::endpoint;
use super::work::Work;

/// How many fragments each thread may run in a measurement.
pub(crate) const FRAGMENTS: RangeInclusive<u64> = 1..=100_000;
/// How many threads may run fragments at once.
pub(crate) const CONCURRENCY: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// How long a run may take. What still goes on at that time, one measurement, ends within two seconds.
pub(crate) const TIME: Duration = Duration::from_secs(18);

/// What can be chosen: its name, and what the fragment does.
pub(crate) const CHOICES: [(&str, &str); 4] = [
    ("ready", "is ready at once"),
    ("sleep1", "waits 1 ms on a timer"),
    ("sleep10", "waits 10 ms on a timer"),
    ("fetch", "fetches ten answers that take 10 ms each"),
];

/// A run to be made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) works: Vec<Work>,
    /// How many threads run fragments at once; ascending.
    pub(crate) concurrency: Vec<usize>,
    /// At most so many fragments on each thread; fewer where the time is up before.
    pub(crate) fragments: u64,
    pub(crate) time: Duration,
    /// Whether Flask is measured too.
    pub(crate) flask: bool,
}

/// What somebody asks for, as it was typed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Asked {
    /// Names of [`CHOICES`].
    pub(crate) work: Vec<String>,
    pub(crate) n: String,
    pub(crate) concurrency: Vec<String>,
}

/// What is wrong with it, by field.
pub(crate) type Mistakes = BTreeMap<&'static str, String>;

impl Default for Asked {
    fn default() -> Asked {
        let concurrency = ["1", "4", "16", "64"].map(String::from).into();
        Asked { work: vec!["ready".to_owned()], n: "20000".to_owned(), concurrency }
    }
}

impl Asked {
    /// From a form; what it has not is as by default. `None` when nothing is asked for.
    pub(crate) fn from_form(form: &MultiDict) -> Option<Asked> {
        let list = |name| match form.getlist(name) {
            given if given.is_empty() => None,
            given => Some(given.into_iter().map(String::from).collect()),
        };
        let (work, n, concurrency) = (list("work"), form.get("n"), list("concurrency"));
        if work.is_none() && n.is_none() && concurrency.is_none() {
            return None;
        }
        let usual = Asked::default();
        Some(Asked {
            work: work.unwrap_or(usual.work),
            n: n.map_or(usual.n, String::from),
            concurrency: concurrency.unwrap_or(usual.concurrency),
        })
    }

    /// What is to be measured for it.
    ///
    /// # Errors
    /// By field, what is wrong and which values there are.
    pub(crate) fn plan(&self, time: Duration, flask: bool) -> Result<Plan, Mistakes> {
        let mut mistakes = Mistakes::new();

        let chosen = |name: &String| CHOICES.iter().any(|(choice, _)| choice == name);
        let mut works = Vec::new();
        if self.work.is_empty() || !self.work.iter().all(chosen) {
            mistakes.insert("work", format!("Choose from {}, please.", CHOICES.map(|(name, _)| name).join(", ")));
        } else {
            match self.works() {
                Ok(all) => works = all,
                Err(error) => {
                    drop(mistakes.insert("work", format!("The slow endpoint could not be started: {error}.")))
                }
            }
        }

        let fragments = self.n.trim().parse().ok().filter(|n| FRAGMENTS.contains(n));
        if fragments.is_none() {
            let (least, most) = (FRAGMENTS.start(), FRAGMENTS.end());
            mistakes.insert("n", format!("A whole number from {least} to {most}, please."));
        }

        let allowed = |text: &String| text.trim().parse().ok().filter(|threads| CONCURRENCY.contains(threads));
        let concurrency: Option<Vec<usize>> = self.concurrency.iter().map(allowed).collect();
        if concurrency.as_ref().is_none_or(|some| some.is_empty()) {
            let all = CONCURRENCY.map(|threads| threads.to_string()).join(", ");
            mistakes.insert("concurrency", format!("One or more of {all}, please."));
        }

        let (Some(fragments), Some(mut concurrency), true) = (fragments, concurrency, mistakes.is_empty()) else {
            return Err(mistakes);
        };
        concurrency.sort_unstable();
        concurrency.dedup();
        Ok(Plan { works, concurrency, fragments, time, flask })
    }

    fn works(&self) -> io::Result<Vec<Work>> {
        let mut works = Vec::new();
        // Named twice, it is measured once.
        let named = self.work.iter().enumerate().filter(|(i, name)| !self.work[..*i].contains(name));
        for (_, name) in named {
            let some: &[Work] = match name.as_str() {
                "ready" => &[Work::Ready],
                "sleep1" => &[Work::Sleep(Duration::from_millis(1))],
                "sleep10" => &[Work::Sleep(Duration::from_millis(10))],
                // Both ways, to be compared.
                _ => &[Work::Fetch(endpoint::address()?), Work::FetchInTurn(endpoint::address()?)],
            };
            works.extend_from_slice(some);
        }
        Ok(works)
    }
}

impl Plan {
    /// With which numbers of threads this is measured. One after the other only with the fewest: that is where the two
    /// ways of fetching are compared, and each further one would take a tenth of a second for every fragment.
    pub(crate) fn concurrency_of(&self, work: Work) -> &[usize] {
        match work {
            Work::FetchInTurn(_) => &self.concurrency[..self.concurrency.len().min(1)],
            Work::Ready | Work::Sleep(_) | Work::Fetch(_) => &self.concurrency,
        }
    }

    /// For people: `fetch, fetch-in-turn on 1, 8 threads`.
    pub(crate) fn in_words(&self) -> String {
        let works: Vec<_> = self.works.iter().map(|work| work.name()).collect();
        let threads: Vec<_> = self.concurrency.iter().map(|threads| threads.to_string()).collect();
        let s = if self.concurrency == [1] { "" } else { "s" };
        format!("{} on {} thread{s}", works.join(", "), threads.join(", "))
    }
}
