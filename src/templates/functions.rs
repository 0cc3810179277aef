//! Jinja's functions that the engine lacks, or has in another way: `dict` and `lipsum`.

use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind};

/// What paragraphs without a sense are made of.
const WORDS: &str = "ad aliqua aliquip amet anim aute cillum commodo consectetur consequat culpa cupidatat deserunt dolor \
     dolore duis ea eiusmod elit enim esse est et eu ex excepteur exercitation fugiat id in incididunt ipsum irure labore \
     laboris laborum lorem magna minim mollit nisi non nostrud nulla occaecat officia pariatur proident qui quis \
     reprehenderit sed sint sit sunt tempor ullamco ut velit veniam voluptate";

/// More is no page, and these numbers may come from a client.
const MOST_WORDS: usize = 1_000_000;

/// `dict(a=1)`, of a dict or of pairs, as Python's: of two values for one key the last counts.
pub(super) fn dict(given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let given = given.into_values();
    // Not as an `Option`, for which what is undefined would be nothing.
    let (positional, named): (&[Value], Kwargs) = from_args(&given)?;
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    match positional {
        [] => {}
        [map] if map.kind() == ValueKind::Map => {
            for key in map.try_iter()?.checked() {
                let key = key?;
                let value = map.get_item(&key)?;
                pairs.push((key, value));
            }
        }
        [list] if !list.is_undefined() && !list.is_none() => {
            for pair in list.try_iter()?.checked() {
                let pair: Vec<Value> = pair?.try_iter()?.checked().take(3).collect::<Result<_, _>>()?;
                pairs.push(<[Value; 2]>::try_from(pair).map_err(|_| no_dict())?.into());
            }
        }
        _ => return Err(no_dict()),
    }
    for name in named.args() {
        pairs.push((name.into(), named.get(name)?));
    }
    Ok(Value::from_pairs(pairs))
}

fn no_dict() -> Error {
    Error::new(ErrorKind::InvalidOperation, "`dict` takes one dict, or one list of pairs, and values by name")
}

/// `lipsum(n=5, html=true, min=20, max=100)`: paragraphs of at least `min` and less than `max` words without a sense.
pub(super) fn lipsum(
    n: Option<usize>,
    html: Option<bool>,
    min: Option<usize>,
    max: Option<usize>,
    named: Kwargs,
) -> Result<Value, Error> {
    let n = n.or(named.get("n")?).unwrap_or(5);
    let html = html.or(named.get("html")?).unwrap_or(true);
    let min = min.or(named.get("min")?).unwrap_or(20);
    let max = max.or(named.get("max")?).unwrap_or(100);
    named.assert_all_used()?;
    if min >= max {
        return Err(Error::new(ErrorKind::InvalidOperation, "`lipsum` needs a `max` above its `min`"));
    }
    if n.saturating_mul(max) > MOST_WORDS {
        return Err(Error::new(ErrorKind::InvalidOperation, "`lipsum` makes at most a million words"));
    }
    let words: Vec<&str> = WORDS.split(' ').collect();
    let paragraphs = (0..n).map(|_| paragraph(&words, fastrand::usize(min..max)));
    if html {
        let marked: Vec<String> = paragraphs.map(|text| format!("<p>{text}</p>")).collect();
        return Ok(Value::from_safe_string(marked.join("\n")));
    }
    Ok(paragraphs.collect::<Vec<_>>().join("\n\n").into())
}

/// Sentences of up to some twenty words, with a comma now and then; no word twice in a row.
fn paragraph(words: &[&str], count: usize) -> String {
    let mut text = String::new();
    let mut last = "";
    let (mut comma, mut stop) = (0, 0);
    for i in 0..count {
        let word = loop {
            let word = words[fastrand::usize(..words.len())];
            if word != last {
                break word;
            }
        };
        last = word;
        if i > 0 {
            text.push_str(if i == stop {
                ". "
            } else if i == comma {
                ", "
            } else {
                " "
            });
        }
        if i == stop {
            text.push_str(&word[..1].to_ascii_uppercase());
            text.push_str(&word[1..]);
            stop = i + fastrand::usize(10..20);
        } else {
            text.push_str(word);
        }
        if i >= comma {
            comma = i + fastrand::usize(3..8);
        }
    }
    text.push('.');
    text
}
