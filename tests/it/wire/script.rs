//! The `.wire` files: what their lines mean. `tests/wire/README.md` is for those who write them.

use std::collections::BTreeMap;

/// One conversation: what is sent and what must come. A file is one, or one for each row of its table.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `topic/name`, and the row where there are some.
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
    pub(crate) seen: Seen,
    /// A `100 Continue` may come before any answer.
    pub(crate) may_continue: bool,
    /// Engines that are known to fail, and why.
    pub(crate) fails: BTreeMap<String, String>,
    /// Engines that cannot even be asked.
    pub(crate) skips: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Expect(Expected),
    /// Goes on when all answers that are expected so far have come.
    Pause,
    HalfClose,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closes it, and sends nothing more.
    Close,
    /// It answers another request.
    Open,
    /// One of these; in any case nothing else is sent.
    Either,
    /// Whatever it is: the client goes, in the middle of its request.
    Enough,
}

/// What the service must have been asked.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// Whatever, but nothing smuggled.
    Any,
    /// Just these, in any order.
    Just(Vec<String>),
    /// It was not asked, or saw that the body is not whole.
    NothingWhole,
}

#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) version: Option<String>,
    pub(crate) statuses: Vec<u16>,
    /// It may be left out, when the connection is closed instead.
    pub(crate) maybe: bool,
    /// Headers with their value; without one they must not be there.
    pub(crate) headers: Vec<(String, Option<String>)>,
    pub(crate) body: Vec<BodyWant>,
}

impl Expected {
    /// Whether the answer has a head only, though it does not look like it: the request was HEAD.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.body.iter().any(|want| matches!(want, BodyWant::None))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum BodyWant {
    None,
    Is(Vec<u8>),
    Has(Vec<u8>),
    /// It breaks off, and the client can tell.
    Cut,
}

#[derive(Default)]
struct Row {
    columns: Vec<String>,
    fails: BTreeMap<String, String>,
    skips: BTreeMap<String, String>,
}

/// Reads a file.
pub(crate) fn read(name: &str, text: &str) -> Result<Vec<Case>, String> {
    let mut rows: Vec<Row> = Vec::new();
    // The rows that the last line made, which indented lines below it are for.
    let mut latest = 0;
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: String| format!("{name}.wire:{}: {what}: {line:?}", at + 1);
        if let Some(columns) = line.strip_prefix("each ") {
            latest = rows.len();
            let columns = columns.trim_end_matches(" |").split(" | ").map(|column| column.trim().to_owned()).collect();
            rows.push(Row { columns, ..Row::default() });
        } else if let Some(ranges) = line.strip_prefix("each-byte ") {
            latest = rows.len();
            for byte in bytes_of(ranges).map_err(wrong)? {
                rows.push(Row { columns: vec![format!("\\x{byte:02x}")], ..Row::default() });
            }
        } else if line.starts_with("    ") && !rows.is_empty() {
            for row in &mut rows[latest..] {
                known(line.trim(), &mut row.fails, &mut row.skips).map_err(wrong)?;
            }
        } else if !line.starts_with('#') {
            lines.push((at + 1, line));
        }
    }
    if rows.is_empty() {
        return Ok(vec![case(name, name.to_owned(), &lines, Row::default())?]);
    }
    let title = |row: &Row| format!("{name} [{}]", row.columns.join(" | "));
    rows.into_iter().map(|row| case(name, title(&row), &lines, row)).collect()
}

fn case(file: &str, name: String, lines: &[(usize, &str)], row: Row) -> Result<Case, String> {
    let mut case = Case {
        name,
        service: "echo".to_owned(),
        steps: Vec::new(),
        end: End::Either,
        seen: Seen::Any,
        may_continue: false,
        fails: row.fails,
        skips: row.skips,
    };
    let mut ended = false;
    let mut lines = lines.iter();
    while let Some((at, line)) = lines.next() {
        let wrong = |what: String| format!("{file}.wire:{at}: {what}: {line:?}");
        let mut line = (*line).to_owned();
        if !row.columns.is_empty() {
            for n in 0..3 {
                let column = row.columns.get(n).map_or("", String::as_str);
                line = line.replace(&format!("{{{}}}", n + 1), column);
            }
        }
        if let Some(count) = line.strip_prefix("times ") {
            let count: usize = count.parse().map_err(|_| wrong("not a number".into()))?;
            let block: Vec<_> = lines.by_ref().take_while(|(_, line)| !line.is_empty()).collect();
            for n in 0..count {
                for (_, line) in &block {
                    read_line(&line.replace("{#}", &n.to_string()), &mut case).map_err(wrong)?;
                }
            }
        } else if let Some(end) = match line.as_str() {
            "<close" => Some(End::Close),
            "<open" => Some(End::Open),
            "<either" => Some(End::Either),
            "<enough" => Some(End::Enough),
            _ => None,
        } {
            if ended {
                return Err(wrong("a second end".into()));
            }
            ended = true;
            case.end = end;
        } else if !line.is_empty() {
            read_line(&line, &mut case).map_err(wrong)?;
        }
    }
    let half_closed = case.steps.iter().any(|step| matches!(step, Step::HalfClose));
    match () {
        () if !ended => Err(format!("{file}.wire: it does not say what becomes of the connection: <close, <open, …")),
        () if half_closed && case.end != End::Close => {
            Err(format!("{file}.wire: a half-closed connection must <close"))
        }
        () => Ok(case),
    }
}

fn read_line(line: &str, case: &mut Case) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        ">" => case.steps.push(Step::Send(unescape(rest)?)),
        "repeat" => {
            let (count, text) = rest.split_once(' ').ok_or("no text")?;
            let count: usize = count.parse().map_err(|_| "not a number")?;
            case.steps.push(Step::Send(unescape(quoted(text)?)?.repeat(count)));
        }
        "pause" => case.steps.push(Step::Pause),
        "half-close" => case.steps.push(Step::HalfClose),
        "service" => case.service = rest.to_owned(),
        "fails" | "skip" => known(line, &mut case.fails, &mut case.skips)?,
        "may-continue" => case.may_continue = true,
        "<seen" => match (rest, &mut case.seen) {
            ("nothing", seen) => *seen = Seen::Just(Vec::new()),
            ("nothing whole", seen) => *seen = Seen::NothingWhole,
            (line, Seen::Just(lines)) => lines.push(line.to_owned()),
            (line, seen) => *seen = Seen::Just(vec![line.to_owned()]),
        },
        "<" | "<maybe" => match status_line(rest, word == "<maybe") {
            Some(expected) => case.steps.push(Step::Expect(expected)),
            None => {
                let (name, value) = rest.split_once(':').ok_or("neither a status nor a header")?;
                last(case)?.headers.push((name.to_ascii_lowercase(), Some(value.trim().to_owned())));
            }
        },
        "<no" => last(case)?.headers.push((rest.to_ascii_lowercase(), None)),
        "<body" => {
            let want = match rest {
                "none" => BodyWant::None,
                "cut" => BodyWant::Cut,
                text => BodyWant::Is(unescape(quoted(text)?)?),
            };
            last(case)?.body.push(want);
        }
        "<body-has" => last(case)?.body.push(BodyWant::Has(unescape(quoted(rest)?)?)),
        _ => return Err("no such line".to_owned()),
    }
    Ok(())
}

fn last(case: &mut Case) -> Result<&mut Expected, String> {
    match case.steps.last_mut() {
        Some(Step::Expect(expected)) => Ok(expected),
        _ => Err("there is no answer that this belongs to".to_owned()),
    }
}

/// `HTTP/1.1 400|501`, or without the version.
fn status_line(text: &str, maybe: bool) -> Option<Expected> {
    let (version, statuses) = match text.split_once(' ') {
        Some((version, statuses)) if version.starts_with("HTTP/") => (Some(version.to_owned()), statuses),
        _ => (None, text),
    };
    let statuses = statuses.split('|').map(|status| status.parse().ok()).collect::<Option<Vec<u16>>>()?;
    Some(Expected { version, statuses, maybe, headers: Vec::new(), body: Vec::new() })
}

/// `fails ENGINE: why` and `skip ENGINE: why`.
fn known(line: &str, fails: &mut BTreeMap<String, String>, skips: &mut BTreeMap<String, String>) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let list = match word {
        "fails" => fails,
        "skip" => skips,
        _ => return Err("neither fails nor skip".to_owned()),
    };
    match rest.split_once(": ") {
        Some((engine, why)) if !why.trim().is_empty() => list.insert(engine.to_owned(), why.to_owned()),
        _ => return Err("it has to say of which engine, and why".to_owned()),
    };
    Ok(())
}

fn quoted(text: &str) -> Result<&str, String> {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(|| "not in quotes".to_owned())
}

/// The bytes that stand for themselves, and Rust's escapes.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(escaped @ (b'\\' | b'"')) => escaped,
            Some(b'x') => {
                let digits = [rest.next().unwrap_or(b' '), rest.next().unwrap_or(b' ')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("\\x{digits} is no byte"))?
            }
            other => return Err(format!("\\{:?} is no escape", other.map(char::from))),
        });
    }
    Ok(bytes)
}

/// `00-08 0a 7f`.
fn bytes_of(ranges: &str) -> Result<Vec<u8>, String> {
    let byte = |text: &str| u8::from_str_radix(text, 16).map_err(|_| format!("{text:?} is no byte"));
    let mut bytes = Vec::new();
    for range in ranges.split_whitespace() {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        bytes.extend(byte(first)?..=byte(last)?);
    }
    Ok(bytes)
}
