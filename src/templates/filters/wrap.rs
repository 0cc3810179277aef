//! `wordwrap`, as Python's `textwrap` does it.

use minijinja::value::Value;
use minijinja::{Error, State};

use super::Args;
use crate::templates::print;

pub(super) fn wordwrap(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    let width = args.number("width", 79)?;
    if width == 0 {
        return Err(args.wrong("width", "a number from 1"));
    }
    let wrapping = Wrapping {
        width,
        long: args.is_true("break_long_words", true),
        hyphens: args.is_true("break_on_hyphens", true),
    };
    let between = args.text("wrapstring", "\n")?;
    let lines = text.lines().map(|line| wrapping.wrap(line).join(between));
    Ok(lines.collect::<Vec<_>>().join(between).into())
}

struct Wrapping {
    width: usize,
    /// Whether words that are longer than a line are broken.
    long: bool,
    /// Whether words are broken after hyphens.
    hyphens: bool,
}

impl Wrapping {
    fn wrap(&self, line: &str) -> Vec<String> {
        let letters: Vec<char> = line.chars().collect();
        let mut chunks: std::collections::VecDeque<&[char]> = self.chunks(&letters).into();
        let blank = |chunk: &[char]| chunk.iter().all(|c| c.is_whitespace());
        let mut lines: Vec<String> = Vec::new();
        while !chunks.is_empty() {
            if !lines.is_empty() && chunks.front().is_some_and(|chunk| blank(chunk)) {
                chunks.pop_front();
            }
            let (mut now, mut length): (Vec<&[char]>, usize) = (Vec::new(), 0);
            while let Some(chunk) = chunks.next_if(|chunk| length + chunk.len() <= self.width) {
                length += chunk.len();
                now.push(chunk);
            }
            if let Some(chunk) = chunks.next_if(|chunk| chunk.len() > self.width) {
                let room = self.width - length;
                if self.long {
                    let (fitting, rest) = chunk.split_at(self.break_at(chunk, room));
                    now.push(fitting);
                    chunks.push_front(rest);
                } else if now.is_empty() {
                    now.push(chunk);
                } else {
                    chunks.push_front(chunk);
                }
            }
            if now.last().is_some_and(|chunk| blank(chunk)) {
                now.pop();
            }
            if !now.is_empty() {
                lines.push(now.concat().into_iter().collect());
            }
        }
        lines
    }

    /// Where a word that is too long is broken: after a hyphen, if one is within the room.
    fn break_at(&self, chunk: &[char], room: usize) -> usize {
        if self.hyphens && chunk.len() > room {
            let hyphen = chunk[..room].iter().rposition(|c| *c == '-').filter(|at| *at > 0);
            if let Some(at) = hyphen.filter(|at| chunk[..*at].iter().any(|c| *c != '-')) {
                return at + 1;
            }
        }
        room
    }

    /// Words, what is between them, and parts of words up to a hyphen between letters.
    fn chunks<'l>(&self, mut rest: &'l [char]) -> Vec<&'l [char]> {
        let mut chunks = Vec::new();
        while let Some(first) = rest.first() {
            let blank = first.is_whitespace();
            let end = rest.iter().position(|c| c.is_whitespace() != blank).unwrap_or(rest.len());
            let (mut word, after) = rest.split_at(end);
            rest = after;
            while self.hyphens
                && let Some(at) = (0..word.len()).find(|at| is_break(word, *at))
            {
                chunks.push(&word[..=at]);
                word = &word[at + 1..];
            }
            if !word.is_empty() {
                chunks.push(word);
            }
        }
        chunks
    }
}

/// Whether a word may be broken after the hyphen at this place: it stands between letters, and neither part is a single
/// one.
fn is_break(word: &[char], at: usize) -> bool {
    let in_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let letter = |c: &char| in_word(c) && !c.is_numeric();
    if word[at] != '-' || at < 2 || !letter(&word[at - 1]) || !in_word(&word[at - 2]) {
        return false;
    }
    let after = &word[at + 1..];
    let run = after.iter().position(|c| !in_word(c)).unwrap_or(after.len());
    after[..run].iter().skip(1).any(letter)
}

/// `VecDeque::pop_front_if` is of a later compiler than ours.
trait Front<T> {
    fn next_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T>;
}

impl<T> Front<T> for std::collections::VecDeque<T> {
    fn next_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        if wanted(self.front()?) { self.pop_front() } else { None }
    }
}
