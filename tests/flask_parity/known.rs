//! `known.toml`: the differences that are meant.

use std::path::Path;

use crate::compare::Difference;

const FILE: &str = "known.toml";

/// The differences that do not fail the suite.
#[derive(Debug)]
pub(crate) struct Known {
    entries: Vec<Entry>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    topic: String,
    /// Names; a `*` at the end stands for any rest.
    cases: Vec<String>,
    /// Those of [`Difference`].
    parts: Vec<String>,
    /// Flask's and Dewar's value, where only these are meant.
    flask: Option<String>,
    dewar: Option<String>,
    #[allow(dead_code, reason = "for the reader; that there is one is checked")]
    reason: String,
    /// What occurred: by case, then by part.
    #[serde(skip)]
    seen: Vec<Vec<bool>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    difference: Vec<Entry>,
}

impl Known {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub(crate) fn read(folder: &Path) -> Result<Known, String> {
        let text = std::fs::read_to_string(folder.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
        let read: File = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        let mut entries = read.difference;
        for entry in &mut entries {
            if entry.reason.trim().is_empty() || entry.cases.is_empty() || entry.parts.is_empty() {
                return Err(format!("{FILE}: an entry of {} has no reason, no case or no part", entry.topic));
            }
            entry.seen = vec![vec![false; entry.parts.len()]; entry.cases.len()];
        }
        Ok(Known { entries })
    }

    /// Whether this difference is in the list; it is then seen.
    pub(crate) fn covers(&mut self, topic: &str, case: &str, difference: &Difference) -> bool {
        let mut covered = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.topic == topic) {
            let as_said = entry.flask.as_ref().is_none_or(|flask| *flask == difference.flask)
                && entry.dewar.as_ref().is_none_or(|dewar| *dewar == difference.dewar);
            let Some(part) = entry.parts.iter().position(|part| *part == difference.part).filter(|_| as_said) else {
                continue;
            };
            for (i, pattern) in entry.cases.iter().enumerate() {
                let fits = pattern.strip_suffix('*').map_or(case == pattern, |start| case.starts_with(start));
                entry.seen[i][part] |= fits;
                covered |= fits;
            }
        }
        covered
    }

    /// What is in the list and did not occur, of the topics that were run.
    pub(crate) fn unseen(&self, ran: &[&str]) -> Vec<String> {
        let mut unseen = Vec::new();
        for entry in self.entries.iter().filter(|entry| ran.contains(&entry.topic.as_str())) {
            for (case, seen) in entry.cases.iter().zip(&entry.seen) {
                for (part, _) in entry.parts.iter().zip(seen).filter(|(_, seen)| !**seen) {
                    unseen.push(format!("{FILE}: {}, `{case}`, {part}", entry.topic));
                }
            }
        }
        unseen
    }

    /// Topics that the list names.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.topic.as_str())
    }
}
