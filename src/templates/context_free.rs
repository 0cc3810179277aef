//! Imports without context, as Jinja has them.
//!
//! The engine reads `with context` and `without context`, and always gives the context. What decides what a macro sees is
//! the moment when its template is run for the import: names that it uses are looked up then. So the text is read anew
//! with what is imported put into a call, `{% import _without_context("x.html") as x %}`: that gives the name again, by an
//! iterator that the engine holds as long as it runs the template. Until it lets go, [`Names`](super::names) shows what
//! globals there are, and no values. What the importing template has set itself stays visible.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::Value;
use minijinja::syntax::SyntaxConfig;

/// The function's name. No template writes it itself.
pub(super) const FUNCTION: &str = "_without_context";

/// How many templates are being run without context, one for the other.
#[derive(Debug, Default)]
pub(super) struct Closed(AtomicUsize);

impl Closed {
    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// What stands for a template's name, or for names to choose from; `closes` is closed as long as the engine holds it.
pub(super) fn name<T: AsRef<Closed> + Send + Sync + 'static>(closes: &Arc<T>, name: Value) -> Value {
    let closes = closes.clone();
    Value::make_iterable(move || {
        let names: Vec<Value> = match name.as_str() {
            Some(_) => vec![name.clone()],
            None => name.try_iter().into_iter().flatten().collect(),
        };
        (*closes).as_ref().0.fetch_add(1, Ordering::Relaxed);
        Choices { names: names.into_iter(), closes: closes.clone() }
    })
}

struct Choices<T: AsRef<Closed>> {
    names: std::vec::IntoIter<Value>,
    closes: Arc<T>,
}

impl<T: AsRef<Closed>> Iterator for Choices<T> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.names.next()
    }
}

impl<T: AsRef<Closed>> Drop for Choices<T> {
    fn drop(&mut self) {
        (*self.closes).as_ref().0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The text with such calls. What is not understood stays: the engine tells what is wrong with it.
pub(super) fn rewritten<'a>(text: Cow<'a, str>, syntax: &SyntaxConfig) -> Cow<'a, str> {
    if !text.contains("import") && !text.contains("without") {
        return text;
    }
    let mut calls: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some((kind, begin)) = next_tag(&text, at, syntax) {
        let (_, close) = delimiters(kind, syntax);
        let end = match kind {
            Kind::Comment => text[begin..].find(close).map(|length| begin + length),
            _ => end_of_code(&text, begin, close),
        };
        let Some(end) = end else { break };
        at = end + close.len();
        if kind == Kind::Block {
            let code = text[begin..end].trim_start_matches(['-', '+']);
            if code.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+') == "raw" {
                match end_of_raw(&text, at, syntax) {
                    Some(end) => at = end,
                    None => break,
                }
            } else if let Some((from, to)) = name_of(code) {
                let offset = end - code.len();
                calls.push((offset + from, offset + to));
            }
        }
    }
    if calls.is_empty() {
        return text;
    }
    let (mut new, mut done) = (String::with_capacity(text.len() + 20 * calls.len()), 0);
    for (from, to) in calls {
        new.push_str(&text[done..from]);
        new.push_str(&format!("{FUNCTION}({})", &text[from..to]));
        done = to;
    }
    new.push_str(&text[done..]);
    Cow::Owned(new)
}

/// The line as it was written.
pub(super) fn as_written(line: &str) -> String {
    let mut written = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(FUNCTION) {
        written.push_str(before);
        let code = after.strip_prefix('(').unwrap_or(after);
        let end = end_of_code(code, 0, ")").unwrap_or(code.len());
        written.push_str(&code[..end]);
        rest = code.get(end + 1..).unwrap_or("");
    }
    written + rest
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Block,
    Variable,
    Comment,
}

fn delimiters(kind: Kind, syntax: &SyntaxConfig) -> (&str, &str) {
    match kind {
        Kind::Block => syntax.block_delimiters(),
        Kind::Variable => syntax.variable_delimiters(),
        Kind::Comment => syntax.comment_delimiters(),
    }
}

/// The next tag from here on, and where it begins inside; of several at one place, the one with the longest beginning.
fn next_tag(text: &str, from: usize, syntax: &SyntaxConfig) -> Option<(Kind, usize)> {
    let kinds = [Kind::Block, Kind::Variable, Kind::Comment].into_iter();
    let places = kinds.filter_map(|kind| {
        let open = delimiters(kind, syntax).0;
        Some((from + text[from..].find(open)?, open.len(), kind))
    });
    let (at, length, kind) = places.min_by_key(|(at, length, _)| (*at, usize::MAX - length))?;
    Some((kind, at + length))
}

/// Where `close` is, outside of texts and brackets.
fn end_of_code(text: &str, from: usize, close: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (i, c) in text[from..].char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if depth == 0 && text[from + i..].starts_with(close) => return Some(from + i),
            None => match c {
                '"' | '\'' => quote = Some(c),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            },
        }
    }
    None
}

fn end_of_raw(text: &str, from: usize, syntax: &SyntaxConfig) -> Option<usize> {
    let (open, close) = syntax.block_delimiters();
    let mut at = from;
    while let Some(found) = text[at..].find(open) {
        let begin = at + found + open.len();
        let end = begin + text[begin..].find(close)?;
        if text[begin..end].trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+') == "endraw" {
            return Some(end + close.len());
        }
        at = begin;
    }
    None
}

/// Where the name of a template stands that is taken without context.
fn name_of(code: &str) -> Option<(usize, usize)> {
    let words = words(code);
    let tail = |n: usize| words.len().checked_sub(n).map(|i| words[i].1);
    let given = tail(1) == Some("context") && tail(2) == Some("with");
    let denied = tail(1) == Some("context") && tail(2) == Some("without");
    let (first, word) = *words.first()?;
    let stop = match word {
        "import" if !given => words[1..].iter().find(|(_, word)| *word == "as")?.0,
        "from" if !given => words[1..].iter().find(|(_, word)| *word == "import")?.0,
        "include" if denied => words[1..].iter().find(|(_, word)| matches!(*word, "ignore" | "without"))?.0,
        _ => return None,
    };
    let begin = first + word.len();
    let name = code[begin..stop].trim();
    let from = begin + code[begin..stop].find(name)?;
    (!name.is_empty()).then_some((from, from + name.len()))
}

/// The words outside of texts and brackets, and where each begins.
fn words(code: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let word = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        if word > 0 {
            words.push((at, &rest[..word]));
            at += word;
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        let inside = at + c.len_utf8();
        at = match c {
            '"' | '\'' => end_of_text(code, inside, c),
            '(' => end_of_code(code, inside, ")").map_or(code.len(), |end| end + 1),
            '[' => end_of_code(code, inside, "]").map_or(code.len(), |end| end + 1),
            '{' => end_of_code(code, inside, "}").map_or(code.len(), |end| end + 1),
            _ => inside,
        };
    }
    words
}

fn end_of_text(code: &str, from: usize, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in code[from..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return from + i + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_into_calls() {
        let syntax = SyntaxConfig::default();
        for (text, new) in [
            ("{% import 'a' as a %}", "{% import _without_context('a') as a %}"),
            (
                "{%- from x ~ '.html' import b, c as d -%}",
                "{%- from _without_context(x ~ '.html') import b, c as d -%}",
            ),
            ("{% from ['as', \"import\"] import b %}", "{% from _without_context(['as', \"import\"]) import b %}"),
            (
                "{% include 'a' ignore missing without context %}",
                "{% include _without_context('a') ignore missing without context %}",
            ),
            ("{% from 'a' import b without context %}", "{% from _without_context('a') import b without context %}"),
            ("{% import '%}' as a %}", "{% import _without_context('%}') as a %}"),
        ] {
            assert_eq!(rewritten(text.into(), &syntax), new);
            assert_eq!(as_written(new), text);
        }
        for text in [
            "{% import 'a' as a with context %}",
            "{% from 'a' import b with context %}",
            "{% include 'import' %}",
            "{# {% import 'a' as a %} #}",
            "{{ \"{% import 'a' as a %}\" }}",
            "{% raw %}{% import 'a' as a %}{% endraw %}",
            "{% import",
            "{% import %}",
            "{% import 'a as a %}",
            "{% import 'a' %}",
            "{% set import = 1 %}",
            "import without",
        ] {
            assert_eq!(rewritten(text.into(), &syntax), text);
        }
    }

    /// Whatever the text is, nothing panics, and it can be had back.
    #[test]
    fn any_text() {
        let parts = [
            "{%",
            "%}",
            "{{",
            "}}",
            "{#",
            "#}",
            " import ",
            "from",
            "'",
            "\"",
            "\\",
            " as ",
            "é",
            "(",
            "]",
            "raw",
            "endraw",
            "-",
            "without context",
            "x",
        ];
        let mut random = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..random % 14 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(parts[(random >> 33) as usize % parts.len()]);
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 1;
            let new = rewritten(text.clone().into(), &SyntaxConfig::default()).into_owned();
            assert_eq!(
                new.replace("_without_context(", "").len() + new.matches(FUNCTION).count(),
                text.len() + 2 * new.matches(FUNCTION).count()
            );
            as_written(&new);
        }
    }
}
