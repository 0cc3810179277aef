//! JSON text as a tree, with its numbers as they stand: integers of any length, floats read exactly.

use super::tree::{Key, Tree};

/// Deeper nesting is refused: reading, printing and dropping a tree go down into it.
const DEEPEST: usize = 1000;

/// `None` when it is not JSON, or too deep.
pub(super) fn read(text: &str) -> Option<Tree> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let tree = reader.value()?;
    reader.space();
    (reader.at == text.len()).then_some(tree)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self, word: &str, tree: Tree) -> Option<Tree> {
        let there = self.text[self.at..].starts_with(word);
        self.at += word.len();
        there.then_some(tree)
    }

    fn value(&mut self) -> Option<Tree> {
        self.space();
        match self.peek()? {
            b'n' => self.word("null", Tree::Null),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'"' => Some(Tree::Text(self.string()?)),
            b'[' => self.nested(Reader::list),
            b'{' => self.nested(Reader::map),
            _ => self.number(),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Tree>) -> Option<Tree> {
        self.at += 1;
        self.depth += 1;
        let tree = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        tree
    }

    fn list(&mut self) -> Option<Tree> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Some(Tree::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.eat(b']') {
                return Some(Tree::List(items));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn map(&mut self) -> Option<Tree> {
        let mut pairs = Vec::new();
        if self.eat(b'}') {
            return Some(Tree::Map(pairs));
        }
        loop {
            self.space();
            let key = Key::Text(self.string()?);
            if !self.eat(b':') {
                return None;
            }
            pairs.push((key, self.value()?));
            if self.eat(b'}') {
                return Some(Tree::Map(pairs));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Tree> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = &rest[..end];
        self.at += end;
        if number.contains(['.', 'e', 'E']) {
            return Some(Tree::Float(number.parse().ok()?));
        }
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // `-0` is an integer of Python's, and zero.
        Some(number.parse().map_or_else(|_| Tree::Digits(number.to_owned()), Tree::Int))
    }

    fn string(&mut self) -> Option<String> {
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(['"', '\\'])?;
            string.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Some(string);
            }
            self.at += 1;
            string.push(match self.text.as_bytes().get(self.at - 1)? {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.escape()?,
                c @ (b'"' | b'\\' | b'/') => char::from(*c),
                _ => return None,
            });
        }
    }

    /// The four digits behind `\u`, and the second half of a pair; a half alone becomes U+FFFD.
    fn escape(&mut self) -> Option<char> {
        let first = self.unit()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.unit()?;
            if let Some(Ok(c)) = char::decode_utf16([first, second]).next() {
                return Some(c);
            }
            self.at = back;
        }
        Some(char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    }
}
