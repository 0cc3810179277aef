//! From a rule's text to its tokens, and from a converter's argument text to its arguments.
//!
//! ```text
//! rule      = "/" { "/" | literal | variable }
//! variable  = "<" [ name [ "(" arguments ")" ] ":" ] name ">"
//! arguments = [ argument { "," argument } [ "," ] ]
//! argument  = [ name "=" ] ( "'" text "'" | '"' text '"' | word | number )
//! ```

use std::ops::Range;

use super::error::RuleError;

/// One token of a rule; the ranges are bytes of the rule's text.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Slash,
    Literal(Range<usize>),
    Variable(VariableToken),
}

#[derive(Clone, Debug)]
pub(super) struct VariableToken {
    pub(super) name: Range<usize>,
    pub(super) converter: Option<Range<usize>>,
    pub(super) arguments: Option<Range<usize>>,
    /// Behind its `>`.
    pub(super) end: usize,
}

/// The arguments that a rule gives to a converter: the `min=1, max=5` of `<int(min=1, max=5):x>`.
///
/// A custom converter gets them when a rule that uses it is parsed, see
/// [`Converters::register_with`](super::Converters::register_with). Values are the text as written,
/// without quotes.
#[derive(Clone, Debug, Default)]
pub struct ConverterArgs {
    pub(super) items: Vec<ConverterArg>,
    pub(super) place: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct ConverterArg {
    pub(super) name: Option<String>,
    pub(super) value: String,
    pub(super) place: Range<usize>,
}

impl ConverterArgs {
    /// How many arguments there are, named and positional.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value of the argument with this name.
    pub fn named(&self, name: &str) -> Option<&str> {
        let mut items = self.items.iter();
        let found = items.find(|item| item.name.as_deref() == Some(name));
        found.map(|item| item.value.as_str())
    }

    /// The values of the arguments without a name, in order.
    pub fn positional(&self) -> impl Iterator<Item = &str> {
        let unnamed = self.items.iter().filter(|item| item.name.is_none());
        unnamed.map(|item| item.value.as_str())
    }
}

/// Splits a rule into its tokens.
pub(super) fn tokens(rule: &str) -> Result<Vec<Token>, RuleError> {
    if !rule.starts_with('/') {
        let end = rule.chars().next().map_or(0, char::len_utf8);
        return Err(RuleError::new(rule, 0..end, format!("a rule begins with a slash; write \"/{rule}\"")));
    }
    split(rule)
}

/// Splits a host or a subdomain, such as `<user>.example.com`, into its tokens.
pub(super) fn host_tokens(host: &str) -> Result<Vec<Token>, RuleError> {
    let tokens = split(host)?;
    // Slashes in a converter's arguments are inside of its token.
    let mut at = 0;
    for token in &tokens {
        match token {
            Token::Slash => {
                let what = "a host has no slash; paths are for the rule";
                return Err(RuleError::new(host, at..at + 1, what));
            }
            Token::Literal(place) => at = place.end,
            Token::Variable(variable) => at = variable.end,
        }
    }
    Ok(tokens)
}

fn split(rule: &str) -> Result<Vec<Token>, RuleError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = rule.as_bytes().get(at) {
        match byte {
            b'/' => {
                tokens.push(Token::Slash);
                at += 1;
            }
            b'<' => {
                let variable = Scan { rule, at }.variable()?;
                at = variable.end;
                tokens.push(Token::Variable(variable));
            }
            _ => {
                let rest = &rule[at..];
                let end = at + rest.find(['/', '<']).unwrap_or(rest.len());
                tokens.push(Token::Literal(at..end));
                at = end;
            }
        }
    }
    Ok(tokens)
}

/// Splits the text between a converter's parentheses into arguments.
pub(super) fn arguments(rule: &str, place: Range<usize>) -> Result<ConverterArgs, RuleError> {
    let text = &rule[..place.end];
    let mut scan = Scan { rule: text, at: place.start };
    let mut items = Vec::new();
    loop {
        scan.spaces();
        if scan.at == text.len() {
            return Ok(ConverterArgs { items, place });
        }
        let item = scan.argument().map_err(|(at, message)| {
            let end = rule.len().min(at.end.max(at.start + 1));
            RuleError::new(rule, at.start..end, message)
        })?;
        items.push(item);
        scan.spaces();
        match scan.peek() {
            None => {}
            Some(',') => scan.at += 1,
            Some(found) => {
                return Err(RuleError::new(
                    rule,
                    scan.at..scan.at + found.len_utf8(),
                    format!("expected `,` between arguments, found `{found}`; put text with signs in it in quotes"),
                ));
            }
        }
    }
}

/// A place in the text of a rule.
struct Scan<'a> {
    rule: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The variable whose `<` is at the current place.
    fn variable(mut self) -> Result<VariableToken, RuleError> {
        let open = self.at;
        self.at += 1;
        let first = self.name(open)?;
        let mut variable = VariableToken { name: first.clone(), converter: None, arguments: None, end: 0 };
        if self.peek() == Some('(') {
            variable.arguments = Some(self.parenthesised(open)?);
            if self.peek() != Some(':') {
                return Err(self.unexpected(open, "a `:` and the variable's name"));
            }
        }
        if self.peek() == Some(':') {
            self.at += 1;
            variable.converter = Some(first);
            variable.name = self.name(open)?;
        }
        if self.peek() != Some('>') {
            return Err(self.unexpected(open, "`>`"));
        }
        variable.end = self.at + 1;
        Ok(variable)
    }

    fn name(&mut self, open: usize) -> Result<Range<usize>, RuleError> {
        let start = self.at;
        let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
        while self.peek().is_some_and(is_part) {
            self.at += 1;
        }
        match self.rule.as_bytes().get(start) {
            Some(byte) if byte.is_ascii_digit() => {
                Err(RuleError::new(self.rule, start..self.at, "a name begins with a letter or `_`, not with a digit"))
            }
            _ if start == self.at => Err(self.unexpected(open, "a name")),
            _ => Ok(start..self.at),
        }
    }

    /// From `(` to its `)`, which may also stand in quotes; leaves the place after the `)`.
    fn parenthesised(&mut self, open: usize) -> Result<Range<usize>, RuleError> {
        let start = self.at + 1;
        let mut quote = None;
        for (offset, c) in self.rule[start..].char_indices() {
            match quote {
                Some(q) if c == q => quote = None,
                Some(_) => {}
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c == ')' => {
                    self.at = start + offset + 1;
                    return Ok(start..start + offset);
                }
                None => {}
            }
        }
        let what = if quote.is_some() {
            "a quote in these arguments is never closed"
        } else {
            "this `(` is never closed; write `<converter(arguments):name>`"
        };
        Err(RuleError::new(self.rule, open..self.rule.len(), what))
    }

    fn argument(&mut self) -> Result<ConverterArg, (Range<usize>, String)> {
        let start = self.at;
        let mut name = None;
        let mut word = self.word();
        let after_word = self.at;
        self.spaces();
        if !word.is_empty() && self.peek() == Some('=') {
            name = Some(word.to_owned());
            self.at += 1;
            self.spaces();
            word = self.word();
        } else {
            self.at = after_word;
        }
        // Python's prefixes of a string, `u"…"` and `r"…"`, mean nothing here and do no harm.
        let is_prefix = matches!(word, "" | "u" | "U" | "r" | "R");
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) if is_prefix => {
                let rest = &self.rule[self.at + 1..];
                let Some(length) = rest.find(quote) else {
                    let place = self.at..self.rule.len();
                    return Err((place, "this quote is never closed".to_owned()));
                };
                self.at += length + 2;
                &rest[..length]
            }
            _ if !word.is_empty() => word,
            found => {
                let found = found.map_or("the end".to_owned(), |c| format!("`{c}`"));
                let what =
                    format!("expected an argument, found {found}; arguments are words, numbers or text in quotes");
                return Err((self.at..self.at + 1, what));
            }
        };
        Ok(ConverterArg { name, value: value.to_owned(), place: start..self.at })
    }

    /// A word or a number, perhaps none.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        let rest = &self.rule.as_bytes()[start..];
        if matches!(rest, [b'-', digit, ..] if digit.is_ascii_digit()) {
            self.at += 1;
        }
        while let Some(c) = self.peek()
            && (c.is_alphanumeric() || c == '_' || c == '.')
        {
            self.at += c.len_utf8();
        }
        &self.rule[start..self.at]
    }

    fn spaces(&mut self) {
        while let Some(c) = self.peek()
            && c.is_whitespace()
        {
            self.at += c.len_utf8();
        }
    }

    fn peek(&self) -> Option<char> {
        self.rule[self.at..].chars().next()
    }

    fn unexpected(&self, open: usize, expected: &str) -> RuleError {
        match self.peek() {
            Some(found) if self.rule[open..].contains('>') => RuleError::new(
                self.rule,
                self.at..self.at + found.len_utf8(),
                format!(
                    "expected {expected}, found `{found}`; a variable is `<name>` or `<converter:name>`, \
                     names are made of letters, digits and `_`"
                ),
            ),
            _ => RuleError::new(
                self.rule,
                open..self.rule.len(),
                "this `<` is never closed; write `<name>` or `<converter:name>`",
            ),
        }
    }
}
