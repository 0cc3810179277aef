//! What a rule may look like, and what is said about those that may not.

use dewar::routing::{Converters, Kind, Rule};
use http::Method;

fn variables(rule: &str) -> Vec<(String, Kind)> {
    let rule = Rule::parse(rule, &Converters::default()).unwrap();
    let variables = rule.variables();
    variables.map(|(name, kind)| (name.to_owned(), kind)).collect()
}

#[test]
fn variables_and_their_kinds() {
    for (rule, expected) in [
        ("/", &[][..]),
        ("/a/b.html", &[]),
        ("/<a>", &[("a", Kind::String)]),
        ("/<default:a>", &[("a", Kind::String)]),
        ("/<string(length=2):lang>/", &[("lang", Kind::String)]),
        ("/<string(2,3):a>", &[("a", Kind::String)]),
        ("/<string(2, maxlength=None):a>", &[("a", Kind::String)]),
        ("/<int( min = 1 , max = 5 ):x>", &[("x", Kind::Int)]),
        ("/<int(4, signed=True):x>", &[("x", Kind::Int)]),
        ("/<int():x>", &[("x", Kind::Int)]),
        ("/<float(min=-1.5, max=2):x>", &[("x", Kind::Float)]),
        ("/<path:p>/edit", &[("p", Kind::Path)]),
        ("/<uuid:u>", &[("u", Kind::Uuid)]),
        ("/<any(a,b,):k>", &[("k", Kind::Any)]),
        ("/<any('a):b', \"c>/\", u'd', 7):k>", &[("k", Kind::Any)]),
        ("/v<int:x>.<int:_y2>", &[("x", Kind::Int), ("_y2", Kind::Int)]),
        ("/ü/<a>ß", &[("a", Kind::String)]),
        ("/a>b", &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect();
        assert_eq!(variables(rule), expected, "{rule}");
    }
}

#[test]
fn errors_mark_the_place_and_teach_the_cure() {
    let names: String = (0..17).map(|i| format!("<v{i}>/")).collect();
    let many = format!("/{names}");
    for (rule, marked, message) in [
        ("", "", "a rule begins with a slash; write \"/\""),
        ("post/<id>", "p", "write \"/post/<id>\""),
        ("<id>", "<", "a rule begins with a slash"),
        ("/a/<id", "<id", "this `<` is never closed; write `<name>`"),
        ("/a/<", "<", "this `<` is never closed"),
        ("/a/<id/b", "<id/b", "never closed"),
        ("/a/<id/<b>", "/", "expected `>`, found `/`"),
        ("/a/<>", ">", "expected a name, found `>`"),
        ("/a/<user-id>", "-", "expected `>`, found `-`"),
        ("/a/<int:>", ">", "expected a name, found `>`"),
        ("/a/<1st>", "1st", "a name begins with a letter or `_`"),
        ("/a/< id>", " ", "expected a name, found ` `"),
        ("/a/<int(1:x>", "<int(1:x>", "this `(` is never closed"),
        ("/a/<any('a):x>", "<any('a):x>", "a quote in these arguments is never closed"),
        ("/a/<int(1)>", ">", "expected a `:` and the variable's name, found `>`"),
        ("/<a>/ü/<a>", "a", "there are two variables `a`"),
        ("/<integer:id>", "integer", "there are any, default, float, int, path, string, uuid"),
        ("/<int(digits=4):x>", "digits=4", "there are fixed_digits, min, max, signed"),
        ("/<int(1, 2, 3, True, 5):x>", "5", "too many arguments"),
        ("/<int(1, fixed_digits=2):x>", "fixed_digits=2", "given twice"),
        ("/<int(min=one):x>", "min=one", "`one` is not a number"),
        ("/<int(signed=1):x>", "signed=1", "neither `True` nor `False`"),
        ("/<int(min=):x>", ")", "expected an argument"),
        ("/<string(length=-1):x>", "length=-1", "`-1` is not a number that this argument can have"),
        ("/<string(3, 2):x>", "3, 2", "no text has at least 3 and at most 2 characters"),
        ("/<path(1):x>", "1", "takes no arguments"),
        ("/<any:x>", "any", "`any` wants the words that it may be"),
        ("/<any():x>", "", "`any` wants the words that it may be"),
        ("/<any(a=b):x>", "a=b", "`any` takes words without names"),
        ("/<any(a-b):x>", "-", "put text with signs in it in quotes"),
        ("/<any(a,,b):x>", ",", "expected an argument, found `,`"),
        (&many, "v16", "a rule has at most 16 variables"),
    ] {
        let error = Rule::parse(rule, &Converters::default()).expect_err(rule);
        assert!(error.message().contains(message), "{rule}: {error}");
        assert_eq!(&rule[error.place()], marked, "{error}");
        assert_eq!(error.rule(), rule);
        let text = error.to_string();
        assert!(text.starts_with(&format!("URL rule {rule:?}: ")), "{text}");
    }
}

#[test]
fn the_mark_stands_under_the_place() {
    let error = Rule::parse("/ü/<user-id>", &Converters::default()).unwrap_err();
    let text = error.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1..], ["    /ü/<user-id>", "            ^"]);
}

#[test]
fn custom_converters_say_what_they_lack() {
    let mut converters = Converters::default();
    converters.register("upper", Upper);
    converters.register_with("sized", |args| match args.positional().next() {
        Some("1") => Ok(Upper),
        _ => Err(format!("sized wants 1, got {} arguments", args.len())),
    });
    for (rule, message) in [
        ("/<upper(1):x>", "this converter takes no arguments"),
        ("/<sized:x>", "sized wants 1, got 0 arguments"),
        ("/<sized(2, a=3):x>", "sized wants 1, got 2 arguments"),
        ("/<other:x>", "there are any, default, float, int, path, sized, string, upper, uuid"),
    ] {
        let error = Rule::parse(rule, &converters).unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
    let rule = Rule::parse("/<sized(1):x>", &converters).unwrap();
    assert_eq!(rule.variables().next(), Some(("x", Kind::Custom)));
}

struct Upper;

impl dewar::routing::Converter for Upper {
    fn matches(&self, text: &str) -> bool {
        text.bytes().all(|b| b.is_ascii_uppercase())
    }
}

#[test]
fn options_of_a_rule() {
    let rule = Rule::parse("/<b>/<a>", &Converters::default()).unwrap();
    assert_eq!(rule.allowed(), None);
    let rule = rule.methods([Method::POST, Method::GET]).defaults(vec![("c".into(), 1.into()), ("a".into(), 2.into())]);
    assert_eq!(rule.text(), "/<b>/<a>");
    assert_eq!(rule.allowed().unwrap(), [Method::GET, Method::HEAD, Method::POST]);
    assert_eq!(rule.arguments().collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(rule.default_of("a"), Some(&2.into()));
}
