//! A tree as text.

use std::cmp::Ordering;
use std::fmt::Write;

use super::tree::{Key, Tree};
use crate::float_repr::float_repr;

/// How it looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) item_separator: &'static str,
    pub(super) key_separator: &'static str,
    pub(super) indent: Option<usize>,
    pub(super) ascii: bool,
    pub(super) sort: bool,
}

pub(super) fn print(tree: &Tree, style: Style) -> String {
    let mut printer = Printer { style, out: String::new(), depth: 0 };
    printer.value(tree);
    printer.out
}

struct Printer {
    style: Style,
    out: String,
    depth: usize,
}

impl Printer {
    fn value(&mut self, tree: &Tree) {
        match tree {
            Tree::Null => self.out.push_str("null"),
            Tree::Bool(true) => self.out.push_str("true"),
            Tree::Bool(false) => self.out.push_str("false"),
            Tree::Int(number) => _ = write!(self.out, "{number}"),
            Tree::Digits(digits) => self.out.push_str(digits),
            Tree::Float(number) => self.out.push_str(&float(*number)),
            Tree::Text(text) => self.text(text),
            Tree::List(items) => self.group('[', ']', items, |printer, item| printer.value(item)),
            Tree::Map(pairs) => {
                let mut pairs: Vec<&(Key, Tree)> = pairs.iter().collect();
                if self.style.sort {
                    pairs.sort_by(|(a, _), (b, _)| compare(a, b));
                }
                self.group('{', '}', &pairs, |printer, (key, value)| {
                    match key {
                        Key::Text(text) => printer.text(text),
                        Key::Int(number) => _ = write!(printer.out, "\"{number}\""),
                        Key::Float(number) => _ = write!(printer.out, "\"{}\"", float(*number)),
                    }
                    printer.out.push_str(printer.style.key_separator);
                    printer.value(value);
                });
            }
        }
    }

    fn group<T>(&mut self, open: char, close: char, items: &[T], print: impl Fn(&mut Printer, &T)) {
        self.out.push(open);
        if !items.is_empty() {
            self.depth += 1;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    self.out.push_str(self.style.item_separator);
                }
                self.line();
                print(self, item);
            }
            self.depth -= 1;
            self.line();
        }
        self.out.push(close);
    }

    fn line(&mut self) {
        if let Some(indent) = self.style.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', indent * self.depth));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || (self.style.ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// Python's `json` spells what is not finite as JavaScript does.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    float_repr(number)
}

/// Texts by code points, which is the order of their UTF-8 bytes; numbers by size, and before texts.
fn compare(a: &Key, b: &Key) -> Ordering {
    match (a, b) {
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
        (Key::Int(a), Key::Int(b)) => a.cmp(b),
        (Key::Float(a), Key::Float(b)) => a.total_cmp(b),
        (Key::Int(a), Key::Float(b)) => (*a as f64).total_cmp(b),
        (Key::Float(a), Key::Int(b)) => a.total_cmp(&(*b as f64)),
        (Key::Text(_), _) => Ordering::Greater,
        (_, Key::Text(_)) => Ordering::Less,
    }
}
