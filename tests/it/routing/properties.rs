//! What holds for all rules and values, tried with many made at random (but the same each time).

use dewar::routing::{ArgRef, Converters, Found, Router, RouterBuilder, Rule, UrlValue, ViewArg};
use http::Method;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// SplitMix64: small and good enough.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn text(&mut self, alphabet: &[char], lengths: std::ops::Range<usize>) -> String {
        let length = lengths.start + self.below(lengths.len());
        (0..length).map(|_| self.pick(alphabet)).collect()
    }
}

#[test]
fn what_is_built_is_found() {
    // No `-`, which separates the values below.
    let letters: Vec<char> = "abzAZ019 %?#&=+ü€\u{1f980}._~!$'()*,:;@\"<>\\^`{|}".chars().collect();
    let mut random = Random(1);
    for _ in 0..2000 {
        let (mut text, mut values) = (String::new(), Vec::new());
        for i in 0..1 + random.below(5) {
            // After a literal, so that rules beginning with `path` meet no leading slash.
            text += random.pick(&["/lit-", "/\u{e4} \u{df}/"]);
            let (converter, value) = match random.below(6) {
                0 => ("string", ViewArg::from(random.text(&letters, 1..9))),
                1 => ("int(signed=True)", ViewArg::Int(random.next() as i64)),
                2 => {
                    let x = random.next() as i64 as f64 / f64::from(1 << random.below(31));
                    ("float(signed=True)", ViewArg::Float(x))
                }
                3 => ("uuid", Uuid::from_u64_pair(random.next(), random.next()).into()),
                4 => ("any(\"a b\", c, \"\u{fc}/\")", random.pick(&["a b", "c"]).into()),
                _ => {
                    let inner = random.text(&letters, 1..5);
                    ("path", format!("{inner}/{}", random.text(&letters, 1..5)).into())
                }
            };
            text += &format!("<{converter}:v{i}>");
            values.push((format!("v{i}"), value));
        }
        text += random.pick(&["", "/", "-end"]);

        let mut builder = RouterBuilder::new();
        let id = builder.add(Rule::parse(&text, &Converters::default()).unwrap(), "e");
        let router = builder.freeze();
        let given: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), UrlValue::from(value.clone()))).collect();
        let url = router.build(id, &given).unwrap();
        let path = percent_decode_str(&url).decode_utf8().unwrap();
        let Found::Match { args, .. } = router.find(&Method::GET, &path) else {
            panic!("{text} does not match {path}")
        };
        let found: Vec<_> = args.iter(&path).map(ArgRef::to_view_arg).collect();
        let expected: Vec<_> = values.iter().map(|(_, value)| value.clone()).collect();
        // A `path` is as short as it can be: where two could share the text, only the URL is the same.
        if text.matches("<path").count() < 2 && !text.ends_with('/') {
            assert_eq!(found, expected, "{text} {path}");
        }
        let names = given.iter().map(|(name, _)| *name);
        let again: Vec<_> = names.zip(found.into_iter().map(UrlValue::from)).collect();
        assert_eq!(router.build(id, &again).unwrap(), url, "{text}");
    }
}

/// A variable, a text that its value is, and the value.
fn value(random: &mut Random, last: bool) -> (&'static str, ViewArg) {
    let letters: Vec<char> = "abzAZ019 %?#&=+-ü€\u{1f980}\u{661}._~!$'()*,:;@\"<>\\^`{|}[]".chars().collect();
    match random.below(if last { 9 } else { 8 }) {
        0 | 1 => ("string", random.text(&letters, 1..12).into()),
        2 => ("string(length=2)", random.text(&letters, 2..3).into()),
        3 => ("int", ViewArg::Int((random.next() >> 1) as i64)),
        4 => ("int(fixed_digits=4)", ViewArg::Int(random.below(10_000) as i64)),
        5 => ("int(signed=True)", ViewArg::Int(random.next() as i64)),
        6 => ("float(signed=True)", ViewArg::Float(random.next() as i64 as f64 / f64::from(1 << random.below(31)))),
        7 => ("any(\"a b\", c, \"ü?\")", random.pick(&["a b", "c", "ü?"]).into()),
        // The last, so that no other variable can have a part of it.
        _ => {
            let parts: Vec<_> = (0..1 + random.below(4)).map(|_| random.text(&letters, 1..5)).collect();
            ("path", parts.join(random.pick(&["/", "//"])).into())
        }
    }
}

#[test]
fn every_rule_of_a_set_is_found_by_the_urls_that_it_builds() {
    let mut random = Random(7);
    for _ in 0..60 {
        // Each rule has a word of its own, so that none stands for another.
        let mut builder = RouterBuilder::new();
        let mut rules = Vec::new();
        for i in 0..40 {
            let (mut text, mut values) = (format!("/k{i}"), Vec::new());
            let segments = random.below(4);
            for j in 0..segments {
                let (converter, value) = value(&mut random, j + 1 == segments);
                let (before, after) = (random.pick(&["", "x", "ä b-"]), random.pick(&["", ".html", "-%"]));
                text += &format!("/{before}<{converter}:v{j}>{after}");
                values.push((format!("v{j}"), value));
            }
            let mut rule = Rule::parse(&text, &Converters::default()).unwrap();
            if random.below(3) == 0 {
                let value = ViewArg::Int(i);
                rule = rule.defaults(vec![("d".into(), value.clone())]);
                values.push(("d".into(), value));
            }
            rules.push((builder.add(rule, format!("e{i}")), text, values));
        }
        let router = builder.freeze();
        for (id, text, values) in rules {
            let given: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone().into())).collect();
            let url = router.build_for_endpoint(router.endpoint(id), None, &given).unwrap();
            assert!(url.is_ascii() && !url.contains(['?', '#', ' ']), "{text} {url}");
            let path = percent_decode_str(&url).decode_utf8().unwrap();
            let Found::Match { rule, args } = router.find(&Method::GET, &path) else {
                panic!("{text} does not match {path}")
            };
            assert_eq!(rule, id, "{text} {path}");
            let found: Vec<_> = args.iter(&path).map(ArgRef::to_view_arg).collect();
            let expected: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
            assert_eq!(found, expected, "{text} {path}");
        }
    }
}

/// A piece of a segment and the lengths that it may take of a text, the preferred first.
type Ends = fn(&str) -> Vec<usize>;

const PIECES: &[(&str, Ends)] = &[
    ("a", |t| literal(t, "a")),
    ("-", |t| literal(t, "-")),
    ("\u{fc}", |t| literal(t, "\u{fc}")),
    ("<string(minlength=1):?>", |t| string(t, 1, 99)),
    ("<string(minlength=2):?>", |t| string(t, 2, 99)),
    ("<string(maxlength=2):?>", |t| string(t, 1, 2)),
    ("<string(minlength=0, maxlength=3):?>", |t| string(t, 0, 3)),
    ("<int:?>", |t| longest(t, |s| s.bytes().all(|b| b.is_ascii_digit()))),
    ("<int(signed=True):?>", |t| {
        longest(t, |s| {
            let s = s.strip_prefix('-').unwrap_or(s);
            !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
        })
    }),
    ("<float:?>", |t| {
        longest(t, |s| {
            let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            s.split_once('.').is_some_and(|(a, b)| digits(a) && digits(b))
        })
    }),
    ("<any(a, ab, 'a-'):?>", |t| ["a", "ab", "a-"].iter().flat_map(|w| literal(t, w)).collect()),
];

fn literal(text: &str, literal: &str) -> Vec<usize> {
    text.starts_with(literal).then_some(literal.len()).into_iter().collect()
}

fn string(text: &str, min: usize, max: usize) -> Vec<usize> {
    let ends = text.char_indices().map(|(i, _)| i).chain([text.len()]);
    let mut ends: Vec<_> = ends.enumerate().filter(|(n, _)| (min..=max).contains(n)).collect();
    ends.reverse();
    ends.into_iter().map(|(_, end)| end).collect()
}

fn longest(text: &str, fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let ends = (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    ends.filter(|end| fits(&text[..*end])).collect()
}

/// Matches as a backtracking regular expression does, at its cost.
fn backtrack(pieces: &[(&str, Ends)], text: &str, found: &mut Vec<String>) -> bool {
    let Some(((piece, ends), rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    for end in ends(text) {
        let before = found.len();
        if piece.starts_with('<') {
            found.push(text[..end].to_owned());
        }
        if backtrack(rest, &text[end..], found) {
            return true;
        }
        found.truncate(before);
    }
    false
}

#[test]
fn segments_match_as_by_backtracking() {
    let alphabet = ['a', 'a', 'b', '-', '.', '1', '2', '\u{fc}'];
    let (mut random, mut matched) = (Random(2), 0);
    for _ in 0..3000 {
        let pieces: Vec<_> = (0..1 + random.below(5)).map(|_| random.pick(PIECES)).collect();
        let parts = pieces.iter().enumerate();
        let rule: String = parts.map(|(i, (piece, _))| piece.replace('?', &format!("v{i}"))).collect();
        let router = router(&format!("/s/{rule}"));
        for _ in 0..20 {
            let text = random.text(&alphabet, 1..10);
            let path = format!("/s/{text}");
            let mut expected = Vec::new();
            let expected = backtrack(&pieces, &text, &mut expected).then_some(expected);
            let found = match router.find(&Method::GET, &path) {
                Found::Match { args, .. } => Some(args),
                _ => None,
            };
            matched += usize::from(found.is_some());
            assert_eq!(found.is_some(), expected.is_some(), "{rule} {text}");
            let (Some(args), Some(expected)) = (found, expected) else {
                continue;
            };
            for (arg, expected) in args.iter(&path).zip(expected) {
                match arg {
                    ArgRef::Str(text) => assert_eq!(text, expected, "{rule} {text}"),
                    ArgRef::Int(n) => assert_eq!(Ok(n), expected.parse(), "{rule} {text}"),
                    ArgRef::Float(x) => assert_eq!(Ok(x), expected.parse(), "{rule} {text}"),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert!(matched > 1000, "only {matched} matches");
}

fn router(rule: &str) -> Router {
    let mut builder = RouterBuilder::new();
    builder.add(Rule::parse(rule, &Converters::default()).unwrap(), "e");
    builder.freeze()
}
