//! The grammar of `.env` files, as python-dotenv reads them.
//!
//! A line is `NAME=value`, with `export` before it if one likes. A value without quotes goes to the end of the line or
//! to ` #`, and loses the spaces around it. In `"…"` the escapes `\n`, `\r`, `\t`, `\\`, `\"` and `\$` count, in `'…'`
//! only `\\` and `\'`; both may go over several lines. `${NAME}` and `${NAME:-default}` stand for what was said before,
//! but not in `'…'`.

use std::iter::Peekable;
use std::str::Chars;

/// A file's pairs, in their order, and the numbers of the lines that are none. `outside` knows the variables that the
/// file does not set itself.
pub(super) fn parse(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> (Vec<(String, String)>, Vec<usize>) {
    let mut reader = Reader { chars: text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable(), line: 1 };
    let (mut pairs, mut odd) = (Vec::new(), Vec::new());
    while reader.skip_blank() {
        let line = reader.line;
        match reader.binding(&|name| lookup(&pairs, name).or_else(|| outside(name))) {
            Ok(Some(pair)) => pairs.push(pair),
            Ok(None) => {}
            Err(Odd) => {
                odd.push(line);
                reader.rest_of_line();
            }
        }
    }
    (pairs, odd)
}

fn lookup(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

/// This is no binding.
struct Odd;

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    /// To the beginning of the next binding; whether there is one.
    fn skip_blank(&mut self) -> bool {
        while let Some(c) = self.chars.peek() {
            match c {
                '#' => drop(self.rest_of_line()),
                c if c.is_whitespace() => drop(self.next()),
                _ => return true,
            }
        }
        false
    }

    /// What is left of the line, and past its end.
    fn rest_of_line(&mut self) -> String {
        let mut rest = String::new();
        while let Some(c) = self.next() {
            if c == '\n' {
                break;
            }
            rest.push(c);
        }
        rest
    }

    fn spaces(&mut self) {
        while self.chars.next_if(|c| *c != '\n' && c.is_whitespace()).is_some() {}
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.chars.next_if(|c| !c.is_whitespace() && !matches!(c, '=' | '#' | '\'' | '"')) {
            word.push(c);
        }
        word
    }

    /// A pair; none for a name that is given no value.
    fn binding(&mut self, known: &dyn Fn(&str) -> Option<String>) -> Result<Option<(String, String)>, Odd> {
        let mut name = self.word();
        self.spaces();
        if name == "export" && self.chars.peek().is_some_and(|c| *c != '=') {
            name = self.word();
            self.spaces();
        }
        if name.is_empty() {
            return Err(Odd);
        }
        match self.chars.peek() {
            Some('=') => drop(self.next()),
            None | Some('\n' | '#') => {
                self.rest_of_line();
                return Ok(None);
            }
            _ => return Err(Odd),
        }
        self.spaces();
        let value = match self.chars.peek() {
            Some('\'') => self.quoted('\'')?,
            Some('"') => expand(&self.quoted('"')?, known),
            _ => return Ok(Some((name, expand(&until_comment(&self.rest_of_line()), known)))),
        };
        self.spaces();
        match self.chars.peek() {
            None | Some('\n' | '#') => {
                self.rest_of_line();
                // An escaped dollar was kept apart from one that begins a reference.
                Ok(Some((name, value.replace(ESCAPED_DOLLAR, "$"))))
            }
            _ => Err(Odd),
        }
    }

    /// The text in quotes. When they are never closed, the line alone is odd, and what follows is read on.
    fn quoted(&mut self, quote: char) -> Result<String, Odd> {
        let start = (self.chars.clone(), self.line);
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some(c) if c == quote => return Ok(text),
                Some('\\') => {
                    let escaped = self.next();
                    match (quote, escaped) {
                        (_, None) => {}
                        (_, Some(c @ '\\')) => text.push(c),
                        (quote, Some(c)) if c == quote => text.push(c),
                        ('"', Some('n')) => text.push('\n'),
                        ('"', Some('r')) => text.push('\r'),
                        ('"', Some('t')) => text.push('\t'),
                        ('"', Some('$')) => text.push(ESCAPED_DOLLAR),
                        (_, Some(other)) => text.extend(['\\', other]),
                    }
                }
                Some(c) => text.push(c),
                None => {
                    (self.chars, self.line) = start;
                    return Err(Odd);
                }
            }
        }
    }
}

/// Stands for a dollar that begins no reference; no file has this character for itself (it is none of Unicode's).
const ESCAPED_DOLLAR: char = '\u{fdd0}';

/// A value without quotes ends before a `#` that has a space before it.
fn until_comment(rest: &str) -> String {
    let mut before = ' ';
    let end = rest.char_indices().find(|(_, c)| {
        let comment = *c == '#' && before.is_whitespace();
        before = *c;
        comment
    });
    rest[..end.map_or(rest.len(), |(at, _)| at)].trim().to_owned()
}

/// Puts values in for `${NAME}` and `${NAME:-default}`; what is not known is empty. What is put in is not looked at
/// again, so nothing grows without end.
fn expand(text: &str, known: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { break };
        let inside = &rest[at + 2..at + end];
        let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
        out.push_str(&rest[..at]);
        out.push_str(&known(name).unwrap_or_else(|| default.to_owned()));
        rest = &rest[at + end + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_a_file_says() {
        for (text, pairs, odd) in [
            ("", &[][..], &[][..]),
            ("A=1", &[("A", "1")], &[]),
            ("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")], &[]),
            ("\u{feff}A=1", &[("A", "1")], &[]),
            ("# no\n\n  export A = some words  # no\n", &[("A", "some words")], &[]),
            ("export=1\nexport export=2", &[("export", "1"), ("export", "2")], &[]),
            ("A=\nB= # c\nC=#c\nD=a#b", &[("A", ""), ("B", ""), ("C", ""), ("D", "a#b")], &[]),
            ("A='it\\'s $x ${A}' # c", &[("A", "it's $x ${A}")], &[]),
            ("A='a\\nb\\\\'", &[("A", "a\\nb\\")], &[]),
            ("A=\"a\\n\\\"b\\\" \\q\"", &[("A", "a\n\"b\" \\q")], &[]),
            ("A=\"two\nlines\"\nB=1", &[("A", "two\nlines"), ("B", "1")], &[]),
            ("A=x=y", &[("A", "x=y")], &[]),
            ("A=\"unclosed\nB=1", &[("B", "1")], &[1]),
            ("A\nexport B\nC=1", &[("C", "1")], &[]),
            ("=1\nA B\nC='x' y\nD=1", &[("D", "1")], &[1, 2, 3]),
            ("A=1\nB=${A}2${C:-3}${D}", &[("A", "1"), ("B", "123")], &[]),
            ("B=\"${OUT}\\${OUT}\" ", &[("B", "out${OUT}")], &[]),
            ("B=${OUT\nC=$OUT", &[("B", "${OUT"), ("C", "$OUT")], &[]),
            ("{\"a\": 1}", &[], &[1]),
        ] {
            let outside = |name: &str| (name == "OUT").then(|| "out".to_owned());
            let (found, lines) = parse(text, &outside);
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((&*found, &*lines), (pairs, odd), "{text:?}");
        }
    }

    #[test]
    fn nothing_makes_it_hang_or_panic() {
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let text: String = (0..12)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    ['A', '=', '\'', '"', '\\', '$', '{', '}', '\n', '#', ' ', 'é'][(seed >> 33) as usize % 12]
                })
                .collect();
            let (pairs, odd) = parse(&text, &|_| None);
            assert!(pairs.len() + odd.len() <= text.lines().count(), "{text:?}");
        }
    }
}
