//! Matching a text against several variables and literals, `<a>-<b>.html`.
//!
//! The answer is the one that a backtracking regular expression gives: from left to right, each
//! variable takes as much as it can (`path` as little as it can, `any` the first word in its list)
//! such that the rest still fits. But nothing is tried twice: a table, filled from the right, says
//! for each element and each place of the text where that element would end, if all that follows fits
//! as well. So the time is in proportion to elements × bytes, whatever the text is.
//!
//! For the longest end at each place no search is needed either: as the place moves left, so does the
//! stretch in which the element may end, and a pointer that only moves left finds the last good end in
//! it.

use super::{
    args::UUID_LENGTH,
    conv::{Conv, Int, is_uuid},
    digits,
};

/// One piece of a part of a rule.
#[derive(Clone, Debug)]
pub(super) enum Element {
    Literal(String),
    Variable(Conv),
}

/// Receives where the values are, as (start, end) in the text.
pub(super) type Spans<'a> = &'a mut dyn FnMut(usize, usize);

/// In a text with a custom converter beside other variables: so often is it asked.
const CUSTOM_CALLS: u32 = 1024;

/// A table with at most so many cells is on the stack.
const SMALL: usize = 256;

/// No end.
const NONE: u32 = u32::MAX;

/// Matches the whole text; gives the values' places in order if it fits.
pub(super) fn matches(elements: &[Element], text: &str, spans: Spans<'_>) -> bool {
    let (mut elements, mut start, mut end) = (elements, 0, text.len());
    // Literals at the ends stand in one place only; mostly one variable is left then.
    if let [Element::Literal(literal), rest @ ..] = elements {
        if !text.starts_with(literal.as_str()) {
            return false;
        }
        start = literal.len();
        elements = rest;
    }
    if let [rest @ .., Element::Literal(literal)] = elements {
        if !text[start..].ends_with(literal.as_str()) {
            return false;
        }
        end -= literal.len();
        elements = rest;
    }
    let middle = &text[start..end];
    match elements {
        [] => middle.is_empty(),
        [Element::Variable(conv)] => {
            let fits = conv.fits(middle);
            if fits {
                spans(start, end);
            }
            fits
        }
        _ => {
            let cells = elements.len() * (middle.len() + 1);
            if cells <= SMALL {
                several(elements, middle, start, &mut [NONE; SMALL][..cells], spans)
            } else {
                several(elements, middle, start, &mut vec![NONE; cells], spans)
            }
        }
    }
}

/// Fills the table and reads the answer from it. `text` begins at `offset` of what the spans count in.
fn several(elements: &[Element], text: &str, offset: usize, table: &mut [u32], spans: Spans<'_>) -> bool {
    let width = text.len() + 1;
    let mut calls = CUSTOM_CALLS;
    for (i, element) in elements.iter().enumerate().rev() {
        let (before, after) = table.split_at_mut((i + 1) * width);
        let mut row = Row { ends: &mut before[i * width..], next: after.get(..width), text };
        match element {
            Element::Literal(literal) => row.literal(literal),
            Element::Variable(Conv::Any(words)) => row.words(words),
            Element::Variable(Conv::Path) => row.path(),
            Element::Variable(conv @ Conv::Custom(_)) => row.custom(conv, &elements[..i], &mut calls),
            Element::Variable(conv) => row.longest(conv),
        }
    }
    if table[0] == NONE || calls == 0 {
        return false;
    }
    let mut at = 0;
    for (i, element) in elements.iter().enumerate() {
        let end = table[i * width + at] as usize;
        if let Element::Variable(_) = element {
            spans(offset + at, offset + end);
        }
        at = end;
    }
    true
}

/// The table's row of one element: for each place of the text, where the element ends.
struct Row<'a> {
    ends: &'a mut [u32],
    /// The row of the element that follows, if one does.
    next: Option<&'a [u32]>,
    text: &'a str,
}

impl Row<'_> {
    /// Whether all that follows fits from there.
    fn is_good(&self, end: usize) -> bool {
        match self.next {
            Some(next) => next[end] != NONE,
            None => end == self.text.len(),
        }
    }

    fn set(&mut self, at: usize, end: usize) {
        // No request has a path of 4 GiB; `find` has checked it.
        self.ends[at] = end as u32;
    }

    fn literal(&mut self, literal: &str) {
        let bytes = self.text.as_bytes();
        for at in 0..=bytes.len() {
            let end = at + literal.len();
            if bytes[at..].starts_with(literal.as_bytes()) && self.is_good(end) {
                self.set(at, end);
            }
        }
    }

    /// The first word in the list that fits.
    fn words(&mut self, words: &[String]) {
        let text = self.text;
        for at in places(text) {
            let fits = |word: &&String| text[at..].starts_with(word.as_str()) && self.is_good(at + word.len());
            if let Some(word) = words.iter().find(fits) {
                self.set(at, at + word.len());
            }
        }
    }

    /// The shortest text of at least one character, whose first is no slash; like Werkzeug's `.`,
    /// the characters after the first are no line breaks.
    fn path(&mut self) {
        let text = self.text;
        let (mut nearest, mut line_end, mut after) = (None, text.len(), text.len());
        for at in places(text) {
            let byte = text.as_bytes().get(at);
            if byte.is_some() {
                if self.is_good(after) {
                    nearest = Some(after);
                }
                if let Some(end) = nearest
                    && end <= line_end
                    && byte != Some(&b'/')
                {
                    self.set(at, end);
                }
            }
            if byte == Some(&b'\n') {
                line_end = at;
            }
            after = at;
        }
    }

    /// The longest text that has the form.
    fn longest(&mut self, conv: &Conv) {
        let text = self.text;
        let mut stretches = Stretches::new(text);
        let mut last = text.len();
        for at in places(text) {
            let Some((least, most)) = stretches.step(conv, at) else {
                continue;
            };
            // `most` only moves left, so what was passed need not be seen again.
            last = last.min(most);
            while last > least && !self.is_good(last) {
                last -= 1;
            }
            if self.is_good(last) {
                self.set(at, last);
            }
        }
    }

    /// The longest text that the converter says yes to.
    fn custom(&mut self, conv: &Conv, before: &[Element], calls: &mut u32) {
        let text = self.text;
        let isolating = conv.part_isolating();
        let ends: Vec<usize> = places(text).filter(|end| self.is_good(*end)).collect();
        let mut first = 0;
        for at in places(text) {
            if isolating && text.as_bytes().get(at) == Some(&b'/') {
                // From here on to the left, no value goes past this slash.
                first += ends[first..].iter().take_while(|end| **end > at).count();
            }
            // To ask seldom: only at the start, or right after the literal that stands before.
            let may_begin = match before {
                [] => at == 0,
                [.., Element::Literal(literal)] => text[..at].ends_with(literal.as_str()),
                _ => true,
            };
            if !may_begin {
                continue;
            }
            for end in ends[first..].iter().copied().take_while(|end| *end > at) {
                *calls = calls.saturating_sub(1);
                if *calls == 0 {
                    return;
                }
                if conv.fits(&text[at..end]) {
                    self.set(at, end);
                    break;
                }
            }
        }
    }
}

/// The places where a character begins, and the end, from the right.
fn places(text: &str) -> impl Iterator<Item = usize> {
    (0..=text.len()).rev().filter(|at| text.is_char_boundary(*at))
}

/// Where a text that begins at a place may end, for places from the right to the left: all of
/// `least..=most` are ends. Neither ever moves right.
struct Stretches<'a> {
    text: &'a str,
    /// `string`: characters up to the end of the text or a slash, and the two ends.
    characters: usize,
    least: usize,
    most: usize,
    /// Numbers: where the run of digits ends that the last digit seen is in.
    digits_end: usize,
    /// `float`: the last point with digits after it, and where these end.
    fraction: Option<(usize, usize)>,
    /// `float`: the answer for the place to the right, for a sign before it.
    number: Option<(usize, usize)>,
}

impl<'a> Stretches<'a> {
    fn new(text: &'a str) -> Stretches<'a> {
        Stretches {
            text,
            characters: 0,
            least: text.len(),
            most: text.len(),
            digits_end: 0,
            fraction: None,
            number: None,
        }
    }

    fn step(&mut self, conv: &Conv, at: usize) -> Option<(usize, usize)> {
        match conv {
            Conv::String { min, max } => self.string(at, *min, max.unwrap_or(usize::MAX)),
            Conv::Int(Int { signed, .. }) => self.int(at, *signed),
            Conv::Float(float) => self.float(at, float.signed),
            Conv::Uuid => {
                let end = at + UUID_LENGTH;
                is_uuid(self.text.as_bytes().get(at..end)?).then_some((end, end))
            }
            // These have rows of their own.
            Conv::Path | Conv::Any(_) | Conv::Custom(_) => None,
        }
    }

    fn string(&mut self, at: usize, min: usize, max: usize) -> Option<(usize, usize)> {
        match self.text.as_bytes().get(at) {
            None => {}
            Some(b'/') => (self.characters, self.least, self.most) = (0, at, at),
            Some(_) => {
                self.characters += 1;
                if self.characters > min {
                    self.least = self.character_before(self.least);
                }
                if self.characters > max {
                    self.most = self.character_before(self.most);
                }
            }
        }
        (self.characters >= min).then_some((self.least, self.most))
    }

    fn int(&mut self, at: usize, signed: bool) -> Option<(usize, usize)> {
        let width = self.digit(at);
        if width > 0 {
            return Some((at + width, self.digits_end));
        }
        let after_sign = digits::width(self.text, at + 1);
        let sign = signed && self.text.as_bytes().get(at) == Some(&b'-') && after_sign > 0;
        sign.then_some((at + 1 + after_sign, self.digits_end))
    }

    fn float(&mut self, at: usize, signed: bool) -> Option<(usize, usize)> {
        let right = self.number.take();
        if self.digit(at) > 0 {
            let (point, end) = self.fraction?;
            let first = digits::width(self.text, point + 1);
            self.number = (point == self.digits_end).then_some((point + 1 + first, end));
            return self.number;
        }
        match self.text.as_bytes().get(at) {
            Some(b'.') if digits::width(self.text, at + 1) > 0 => self.fraction = Some((at, self.digits_end)),
            Some(b'-') if signed => return right,
            _ => {}
        }
        None
    }

    /// The bytes of the digit that is there, 0 if none is; keeps `digits_end`.
    fn digit(&mut self, at: usize) -> usize {
        let width = digits::width(self.text, at);
        if width > 0 && digits::width(self.text, at + width) == 0 {
            self.digits_end = at + width;
        }
        width
    }

    fn character_before(&self, mut at: usize) -> usize {
        at -= 1;
        while self.text.as_bytes()[at] & 0b1100_0000 == 0b1000_0000 {
            at -= 1;
        }
        at
    }
}
