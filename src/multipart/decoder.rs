//! The bytes of a multipart body as heads and data: no reading, no files.
//!
//! Line breaks may be CRLF, LF or CR, as in Werkzeug. A delimiter is a line break (the first one needs none), two
//! hyphens, the boundary, perhaps spaces, and a line break, or two more hyphens, which end the form. What comes before the
//! first delimiter and behind the last is skipped.

use memchr::memmem::{Finder, find};

use super::Failure;
use crate::error::HttpError;

/// So often the boundary may stand, and be no delimiter, before the first part. Each time costs as long as it is.
const MOST_MENTIONS: usize = 1000;
/// Spaces behind a boundary; with more of them it is none, since one would have to be looked at again and again.
const MOST_PADDING: usize = 1024;

/// What has come.
pub(super) enum Event<'d> {
    /// A part begins.
    Head(Head),
    /// More of its bytes.
    Data(&'d [u8]),
    /// It ends.
    End,
}

/// A part's headers, in order, names as they were written.
pub(super) struct Head(Vec<(String, String)>);

impl Head {
    /// A header's first value, by its name in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn parse(block: &[u8]) -> Result<Head, Failure> {
        let text =
            std::str::from_utf8(block).map_err(|_| Failure::Malformed("the head of a part is not UTF-8".to_owned()))?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()) {
            let folded = line.starts_with([' ', '\t']);
            let line = line.trim_matches([' ', '\t']);
            match headers.last_mut() {
                Some((_, value)) if folded && !line.is_empty() => {
                    value.push(' ');
                    value.push_str(line);
                }
                _ if line.is_empty() => {}
                _ => {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    headers
                        .push((name.trim_matches([' ', '\t']).to_owned(), value.trim_matches([' ', '\t']).to_owned()));
                }
            }
        }
        Ok(Head(headers))
    }
}

pub(super) struct Decoder {
    buffer: Vec<u8>,
    /// What lies before this place is done with.
    at: usize,
    /// Where looking for the end of a head goes on.
    searched: usize,
    state: State,
    finder: Finder<'static>,
    most_head: usize,
    /// As many bytes may lie in the buffer.
    memory: u64,
    /// How often the boundary stood in what comes before the first delimiter.
    mentions: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    Head,
    /// `at` is the line break that ends the head: it may also be the one that begins the next delimiter.
    Start,
    Data,
    /// The data is over; that is still to be told.
    Over {
        last: bool,
    },
    Epilogue,
}

/// What stands behind the boundary.
enum Behind {
    /// A delimiter, with so many bytes behind the boundary.
    Next(usize),
    /// The last one.
    Last,
    /// It only looked like one.
    Nothing,
    /// More bytes will tell.
    Unknown,
}

impl Decoder {
    /// Heads may have as many bytes as a field, and 16 KiB at least.
    pub(super) fn new(boundary: &str, memory: u64) -> Decoder {
        let delimiter = format!("--{boundary}");
        let most_head = usize::try_from(memory).unwrap_or(usize::MAX).clamp(16 * 1024, 1024 * 1024);
        Decoder {
            buffer: Vec::new(),
            at: 0,
            searched: 0,
            state: State::Preamble,
            finder: Finder::new(delimiter.as_bytes()).into_owned(),
            most_head,
            memory,
            mentions: 0,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.state == State::Epilogue
    }

    /// Takes more of the body in. As in Werkzeug a field's limit is also that of what is looked at in one piece, whatever
    /// it is: below [`BLOCK`](super::BLOCK) bytes it bounds the heads and the files that come with the first block.
    ///
    /// # Errors
    /// 413 when that is more than is allowed.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        if (self.buffer.len() - self.at + bytes.len()) as u64 > self.memory {
            return Err(HttpError::new(413).with_description("The form is larger than may be held in memory at once."));
        }
        if self.state == State::Epilogue {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.searched -= self.at.min(self.searched);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next event; `None` until more is pushed.
    pub(super) fn next(&mut self) -> Result<Option<Event<'_>>, Failure> {
        match self.state {
            State::Preamble => match self.find_delimiter(self.at, true) {
                Delimiter::At { end, last, .. } => {
                    self.at = end;
                    self.enter(last);
                    self.next()
                }
                Delimiter::NotBefore(keep) => {
                    self.at = keep;
                    Ok(None)
                }
                Delimiter::TooMany => {
                    Err(Failure::Malformed(format!("its boundary stands {MOST_MENTIONS} times before the first part")))
                }
            },
            State::Head => self.head(),
            State::Start | State::Data => Ok(self.data()),
            State::Over { last } => {
                self.enter(last);
                Ok(Some(Event::End))
            }
            State::Epilogue => Ok(None),
        }
    }

    fn enter(&mut self, last: bool) {
        self.state = if last { State::Epilogue } else { State::Head };
        self.searched = self.at;
        if last {
            self.buffer = Vec::new();
            self.at = 0;
        }
    }

    fn head(&mut self) -> Result<Option<Event<'_>>, Failure> {
        let Some((end, line_break)) = blank_line(&self.buffer[self.searched..]) else {
            if self.buffer.len() - self.at > self.most_head {
                return Err(HttpError::new(413).with_description("The head of a form's part is too large.").into());
            }
            self.searched = self.at.max(self.buffer.len().saturating_sub(3));
            return Ok(None);
        };
        let end = self.searched + end;
        let head = Head::parse(&self.buffer[self.at..end])?;
        self.at = end + line_break;
        self.state = State::Start;
        Ok(Some(Event::Head(head)))
    }

    fn data(&mut self) -> Option<Event<'_>> {
        let from = self.at + if self.state == State::Start { line_break_len(&self.buffer[self.at..]) } else { 0 };
        let (until, next) = match self.find_delimiter(self.at, false) {
            Delimiter::At { start, end, last } => {
                self.state = State::Over { last };
                (start.max(from), end)
            }
            Delimiter::NotBefore(keep) if keep <= from => return None,
            Delimiter::NotBefore(keep) => {
                self.state = State::Data;
                (keep, keep)
            }
            Delimiter::TooMany => unreachable!("they are counted before the first part only"),
        };
        self.at = next;
        Some(Event::Data(&self.buffer[from..until]))
    }

    /// Takes time by the length of what is searched, also where a boundary overlaps itself and begins anew at each byte.
    fn find_delimiter(&mut self, from: usize, first: bool) -> Delimiter {
        let len = self.finder.needle().len();
        let mut search = from;
        while let Some(hit) = self.finder.find(&self.buffer[search..]) {
            let hit = search + hit;
            let start = match &self.buffer[from..hit] {
                [.., b'\r', b'\n'] => Some(hit - 2),
                [.., b'\r' | b'\n'] => Some(hit - 1),
                _ => first.then_some(hit),
            };
            if let Some(start) = start {
                match behind(&self.buffer[hit + len..]) {
                    Behind::Next(more) => return Delimiter::At { start, end: hit + len + more, last: false },
                    Behind::Last => return Delimiter::At { start, end: self.buffer.len(), last: true },
                    Behind::Unknown => return Delimiter::NotBefore(start),
                    Behind::Nothing => {}
                }
            }
            if first {
                self.mentions += 1;
                if self.mentions > MOST_MENTIONS {
                    return Delimiter::TooMany;
                }
                search = hit + 1;
                continue;
            }
            // The next one has a line break before it, and a boundary has none in it.
            match memchr::memchr2(b'\r', b'\n', &self.buffer[hit + len..]) {
                Some(line_break) => search = hit + len + line_break,
                None => break,
            }
        }
        // One that has come in part begins here at the earliest: two bytes of a line break, and all but one of the rest.
        let keep = from.max(self.buffer.len().saturating_sub(len + 1));
        let tail = &self.buffer[keep..];
        let begins = if first { Some(0) } else { memchr::memchr2(b'\r', b'\n', tail) };
        Delimiter::NotBefore(keep + begins.unwrap_or(tail.len()))
    }
}

enum Delimiter {
    /// From the line break before it to the one behind it.
    At { start: usize, end: usize, last: bool },
    /// None is whole yet; one that has come in part begins here or later.
    NotBefore(usize),
    /// The boundary stands in the preamble so often that this is no form.
    TooMany,
}

fn behind(rest: &[u8]) -> Behind {
    if rest.starts_with(b"--") {
        return Behind::Last;
    }
    let padding = rest.iter().take(MOST_PADDING).take_while(|b| matches!(b, b' ' | b'\t' | b'\x0b' | b'\x0c')).count();
    match &rest[padding..] {
        [b'\r', b'\n', ..] => Behind::Next(padding + 2),
        [b'\n', ..] | [b'\r', _, ..] => Behind::Next(padding + 1),
        [] | [b'\r'] => Behind::Unknown,
        [b'-'] if padding == 0 => Behind::Unknown,
        _ => Behind::Nothing,
    }
}

/// Two line breaks of the same kind: where they begin, and how long one is.
fn blank_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let crlf = find(bytes, b"\r\n\r\n").map(|at| (at, 2));
    let within = crlf.map_or(bytes, |(at, _)| &bytes[..at + 1]);
    let lf = find(within, b"\n\n").map(|at| (at, 1));
    let cr = find(within, b"\r\r").map(|at| (at, 1));
    [crlf, lf, cr].into_iter().flatten().min()
}

fn line_break_len(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\r\n") { 2 } else { 1 }
}
