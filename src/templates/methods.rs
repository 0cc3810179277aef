//! Python's methods of texts, lists, dicts and numbers.

use minijinja::formatting::FormatStyle;
use minijinja::value::{Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::dates::strftime;
use super::filters::text::{centered, check_widths, escaped_arg, fitting};

/// What the engine does not know as a method.
pub(super) fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let found = match value.kind() {
        ValueKind::String => text_method(value, method, args)?,
        ValueKind::Seq => list_method(value, method, args)?,
        ValueKind::Map if method == "copy" && args.is_empty() => Some(value.clone()),
        ValueKind::Number => number_method(value, method, args)?,
        _ => None,
    };
    let result = match found {
        Some(result) => result,
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)?,
    };
    Ok(if value.is_safe() { html(result) } else { result })
}

/// What is made of HTML is HTML, as with markupsafe's `Markup`.
fn html(value: Value) -> Value {
    match value.kind() {
        ValueKind::String => Value::from_safe_string(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq if value.is_tuple() => {
            let items: Vec<Value> = value.try_iter().into_iter().flatten().map(html).collect();
            minijinja::value::Tuple::from(items).into()
        }
        ValueKind::Seq => value.try_iter().into_iter().flatten().map(html).collect::<Vec<_>>().into(),
        _ => value,
    }
}

fn text_method(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let text = value.as_str().unwrap_or_default();
    Ok(Some(match method {
        // Into HTML, texts are put escaped.
        "replace" if value.is_safe() => {
            let (old, new, count): (&str, &Value, Option<i64>) = from_args(args)?;
            let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
            text.replacen(old, &fitting(value, new), count).into()
        }
        "format" if !value.is_safe() => {
            check_widths(FormatStyle::StrFormat, text)?;
            return Ok(None);
        }
        "format" => {
            check_widths(FormatStyle::StrFormat, text)?;
            let args: Vec<Value> = args.iter().map(escaped_arg).collect();
            minijinja::formatting::format(FormatStyle::StrFormat, text, &args)?.into()
        }
        "join" if value.is_safe() => {
            let (items,): (&Value,) = from_args(args)?;
            let items: Vec<String> = items.try_iter()?.map(|item| fitting(value, &item).into_owned()).collect();
            items.join(text).into()
        }
        "index" | "rindex" => {
            let (what,): (&str,) = from_args(args)?;
            let at = if method == "index" { text.find(what) } else { text.rfind(what) };
            let at =
                at.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{what:?} is not in the text")))?;
            text[..at].chars().count().into()
        }
        "strftime" => {
            let (format,): (&str,) = from_args(args)?;
            let written = strftime(text, format).ok_or_else(|| {
                let begin: String = text.chars().take(40).collect();
                let what = format!(
                    "`strftime` is for dates, which are texts such as 2026-01-31 or 2026-01-31T12:30:00Z here, and \
                     {begin:?} is none"
                );
                Error::new(ErrorKind::InvalidOperation, what)
            })?;
            written.into()
        }
        "istitle" => {
            let () = from_args(args)?;
            is_title(text).into()
        }
        "isidentifier" => {
            let () = from_args(args)?;
            let starts = text.starts_with(|c: char| c == '_' || c.is_alphabetic());
            (starts && text.chars().all(|c| c == '_' || c.is_alphanumeric())).into()
        }
        "isdecimal" => {
            let () = from_args(args)?;
            (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into()
        }
        "isprintable" => {
            let () = from_args(args)?;
            (!text.chars().any(char::is_control)).into()
        }
        "swapcase" => {
            let () = from_args(args)?;
            let swap =
                |c: char| if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() };
            text.chars().map(swap).collect::<String>().into()
        }
        "casefold" => {
            let () = from_args(args)?;
            text.to_lowercase().replace('ß', "ss").into()
        }
        "center" | "ljust" | "rjust" => {
            let (width, fill): (usize, Option<char>) = from_args(args)?;
            let (width, fill) = (width_of(width)?, fill.unwrap_or(' '));
            let missing = width.saturating_sub(text.chars().count());
            let filling = || std::iter::repeat_n(fill, missing).collect::<String>();
            match method {
                "center" => centered(text, width, fill).into(),
                "ljust" => format!("{text}{}", filling()).into(),
                _ => format!("{}{text}", filling()).into(),
            }
        }
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let missing = width_of(width)?.saturating_sub(text.chars().count());
            let sign = usize::from(text.starts_with(['+', '-']));
            format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]).into()
        }
        "partition" | "rpartition" => {
            let (by,): (&str,) = from_args(args)?;
            if by.is_empty() {
                return Err(Error::new(ErrorKind::InvalidOperation, format!("`{method}` needs a separator")));
            }
            let split = if method == "partition" { text.split_once(by) } else { text.rsplit_once(by) };
            let parts = match (split, method) {
                (Some((before, after)), _) => [before, by, after],
                (None, "partition") => [text, "", ""],
                (None, _) => ["", "", text],
            };
            minijinja::value::Tuple::from(parts.map(Value::from)).into()
        }
        "rsplit" => {
            let (by, most): (Option<&str>, Option<i64>) = from_args(args)?;
            let most = most.and_then(|most| usize::try_from(most).ok());
            let mut parts: Vec<Value> = match by {
                Some("") => return Err(Error::new(ErrorKind::InvalidOperation, "`rsplit` needs a separator")),
                Some(by) => {
                    text.rsplitn(most.map_or(usize::MAX, |most| most.saturating_add(1)), by).map(Value::from).collect()
                }
                None => by_blanks_from_the_end(text, most.unwrap_or(usize::MAX)),
            };
            parts.reverse();
            parts.into()
        }
        "title" => {
            let () = from_args(args)?;
            title(text).into()
        }
        "find" | "rfind" if args.len() > 1 => {
            let (what, begin, end): (&str, i64, Option<i64>) = from_args(args)?;
            let letters: Vec<char> = text.chars().collect();
            let place =
                |i: i64| (if i < 0 { i + letters.len() as i64 } else { i }).clamp(0, letters.len() as i64) as usize;
            let (from, to) = (place(begin), end.map_or(letters.len(), place));
            let slice: String = letters.get(from..to).unwrap_or_default().iter().collect();
            let at = if method == "find" { slice.find(what) } else { slice.rfind(what) };
            at.map_or(-1, |at| (from + slice[..at].chars().count()) as i64).into()
        }
        "expandtabs" => {
            let (size,): (Option<usize>,) = from_args(args)?;
            expand_tabs(text, width_of(size.unwrap_or(8))?)?.into()
        }
        "removeprefix" | "removesuffix" => {
            let (part,): (&str,) = from_args(args)?;
            let bare = if method == "removeprefix" { text.strip_prefix(part) } else { text.strip_suffix(part) };
            bare.unwrap_or(text).into()
        }
        "startswith" | "endswith" if args.len() > 1 => {
            let (part, begin, end): (&Value, i64, Option<i64>) = from_args(args)?;
            let letters: Vec<char> = text.chars().collect();
            let place =
                |i: i64| (if i < 0 { i + letters.len() as i64 } else { i }).clamp(0, letters.len() as i64) as usize;
            let (begin, end) = (place(begin), end.map_or(letters.len(), place));
            let slice: String = letters.get(begin..end).unwrap_or_default().iter().collect();
            let is = |part: &str| if method == "startswith" { slice.starts_with(part) } else { slice.ends_with(part) };
            match part.as_str() {
                Some(part) => is(part).into(),
                None => part.try_iter()?.any(|part| part.as_str().is_some_and(is)).into(),
            }
        }
        "encode" => {
            let (_encoding,): (Option<&str>,) = from_args(args)?;
            Value::from_bytes(text.as_bytes().to_vec())
        }
        _ => return Ok(None),
    }))
}

/// So that no template takes all memory for blanks.
fn width_of(width: usize) -> Result<usize, Error> {
    const MOST: usize = 10_000_000;
    (width <= MOST)
        .then_some(width)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "a width of 10 million at most"))
}

/// The last words first, at most so many; then what is before them.
fn by_blanks_from_the_end(text: &str, most: usize) -> Vec<Value> {
    let (mut parts, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        match rest.rfind(char::is_whitespace).filter(|_| parts.len() < most) {
            Some(at) => {
                let word = rest[at..].trim_start();
                parts.push(word.into());
                rest = rest[..at].trim_end();
            }
            None => {
                parts.push(rest.into());
                break;
            }
        }
    }
    parts
}

/// As Python's `title`: whatever comes behind something that is no letter begins a word.
fn title(text: &str) -> String {
    let (mut titled, mut inside) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        match inside {
            true => titled.extend(c.to_lowercase()),
            false => titled.extend(c.to_uppercase()),
        }
        inside = c.is_alphabetic();
    }
    titled
}

/// Whether each word begins with a capital and goes on without.
fn is_title(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for c in text.chars() {
        let upper = c.is_uppercase();
        if (upper && inside) || (c.is_lowercase() && !inside) {
            return false;
        }
        inside = upper || c.is_lowercase();
        any |= inside;
    }
    any
}

fn expand_tabs(text: &str, size: usize) -> Result<String, Error> {
    // More than a page holds is refused before it is made.
    width_of(text.matches('\t').count().saturating_mul(size))?;
    let (mut expanded, mut column) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                expanded.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\t' => {}
            '\n' | '\r' => {
                expanded.push(c);
                column = 0;
            }
            c => {
                expanded.push(c);
                column += 1;
            }
        }
    }
    Ok(expanded)
}

fn list_method(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "index" => {
            let (what,): (&Value,) = from_args(args)?;
            let at = value.try_iter()?.position(|item| item == *what);
            at.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{what:?} is not in the list")))?.into()
        }
        "copy" if args.is_empty() => value.clone(),
        "append" | "extend" | "insert" | "pop" | "remove" | "sort" | "reverse" | "clear" => {
            let cure = "lists do not change in a template: make a new one, as by `{% set list = list + [item] %}`, with a \
                        `namespace` where a loop is to see it";
            return Err(Error::new(ErrorKind::UnknownMethod, format!("`{method}`: {cure}")));
        }
        _ => return Ok(None),
    }))
}

fn number_method(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let () = match method {
        "bit_length" | "is_integer" => from_args(args)?,
        _ => return Ok(None),
    };
    Ok(match (method, i128::try_from(value.clone()), f64::try_from(value.clone())) {
        ("bit_length", Ok(n), _) if value.is_integer() => Some((128 - n.unsigned_abs().leading_zeros()).into()),
        ("is_integer", _, Ok(x)) => Some((x.fract() == 0.0).into()),
        _ => None,
    })
}
