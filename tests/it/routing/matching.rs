//! Which rule a path leads to: what Werkzeug answers, and where Dewar answers otherwise.

use dewar::routing::{ArgRef, Args, Converter, Converters, Found, Outcome, Router, RouterBuilder, Rule, ViewArg};
use http::Method;

/// Facts from Werkzeug; the file's head describes the format.
const FACTS: &str = include_str!("facts.txt");

#[test]
fn facts_of_werkzeug() {
    let mut builder = RouterBuilder::new();
    let mut router: Option<Router> = None;
    let mut group = "";
    let (mut checked, mut wrong) = (0, Vec::new());
    for line in FACTS.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            (group, router, builder) = (comment, None, RouterBuilder::new());
            continue;
        }
        let mut columns = line.split(" | ");
        let (Some(first), Some(second)) = (columns.next(), columns.next()) else {
            continue;
        };
        let third = columns.next().unwrap_or_default();
        if first == "rule" {
            builder.add(rule(second, third), "");
            continue;
        }
        let router = router.get_or_insert_with(|| std::mem::take(&mut builder).freeze());
        let method: Method = first.parse().unwrap();
        let path = second.replace("\\n", "\n");
        let answer = answer(router, &method, &path);
        checked += 1;
        if answer != third.replace("\\n", "\n") {
            wrong.push(format!("{group}: {first} {second}: {answer}, Werkzeug: {third}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 200, "only {checked} requests");
}

fn rule(text: &str, options: &str) -> Rule {
    let mut rule = Rule::parse(text, &Converters::default()).unwrap();
    let mut defaults = Vec::new();
    for option in options.split_whitespace() {
        rule = match option.split_once('=') {
            None if option == "lenient" => rule.strict_slashes(false),
            None => rule.merge_slashes(false),
            Some(("methods", list)) => rule.methods(list.split(',').map(|method| method.parse().unwrap())),
            Some((name, value)) => {
                let number = value.parse().map(ViewArg::Int);
                defaults.push((name.to_owned(), number.unwrap_or(value.into())));
                rule
            }
        };
    }
    rule.defaults(defaults)
}

fn answer(router: &Router, method: &Method, path: &str) -> String {
    match router.find(method, path) {
        Found::Match { rule, args } => {
            let mut answer = rule.index().to_string();
            let names = router.rule(rule).arguments();
            for (name, value) in names.zip(args.iter(path)) {
                let kind = match value {
                    ArgRef::Str(_) => "str",
                    ArgRef::Int(_) => "int",
                    ArgRef::Float(_) => "float",
                    _ => "uuid",
                };
                answer += &format!("; {name}={kind} {value}");
            }
            answer
        }
        Found::Redirect { path } => format!("-> {path}"),
        Found::Canonical { host, path } => format!("=> {}{path}", host.unwrap_or_default()),
        Found::MethodNotAllowed { allow } => {
            let names: Vec<_> = allow.iter().map(Method::as_str).collect();
            format!("405 {}", names.join(" "))
        }
        Found::NotFound => "404".to_owned(),
    }
}

fn router(rules: &[&str]) -> Router {
    let mut builder = RouterBuilder::new();
    for text in rules {
        builder.add(rule(text, ""), *text);
    }
    builder.freeze()
}

fn get(router: &Router, path: &str) -> String {
    answer(router, &Method::GET, path)
}

#[test]
fn numbers_of_every_script_in_range() {
    let router =
        router(&["/i/<int:n>", "/i/<s>", "/f/<float:x>", "/d/<int(fixed_digits=2):n>", "/m/<int:a>-<float:b>x"]);
    // As Python's `int` and `float` read them: Arabic-Indic, Devanagari, mathematical bold, mixed.
    assert_eq!(get(&router, "/i/\u{661}"), "0; n=int 1");
    assert_eq!(get(&router, "/i/\u{966}\u{96f}7"), "0; n=int 97");
    assert_eq!(get(&router, "/i/\u{1d7ce}\u{1d7d7}"), "0; n=int 9");
    assert_eq!(get(&router, "/f/\u{661}.\u{665}"), "2; x=float 1.5");
    // Two characters, whatever their bytes.
    assert_eq!(get(&router, "/d/\u{661}\u{662}"), "3; n=int 12");
    assert_eq!(get(&router, "/d/\u{661}"), "404");
    assert_eq!(get(&router, "/m/\u{661}2-\u{663}.\u{664}x"), "4; a=int 12; b=float 3.4");
    // Digits that are no decimal ones: superscript, circled, Roman, Chinese.
    for other in ["\u{b2}", "\u{2460}", "\u{2160}", "\u{4e00}", "\u{66a}", "\u{65f}", "\u{1fbfa}"] {
        assert_eq!(get(&router, &format!("/i/{other}")), format!("1; s=str {other}"));
    }
    // One more than `i64` holds: a number, so `<s>` is not tried.
    assert_eq!(get(&router, "/i/9223372036854775808"), "404");
    let huge = format!("/f/{}.0", "9".repeat(400));
    assert_eq!(get(&router, &huge), "404");
}

#[test]
fn negative_bounds() {
    let router = router(&["/<int(signed=True, min=-5, max=-2):n>"]);
    assert_eq!(get(&router, "/-5"), "0; n=int -5");
    assert_eq!(get(&router, "/-1"), "404");
}

#[test]
fn unmerged_rules_never_redirect_to_merged_paths() {
    let mut builder = RouterBuilder::new();
    builder.add(rule("/a/b/", "unmerged"), "");
    let router = builder.freeze();
    assert_eq!(get(&router, "/a//b"), "404");
    assert_eq!(get(&router, "/a/b"), "-> /a/b/");
}

#[test]
fn no_redirect_to_where_it_came_from() {
    // Werkzeug sends `/` to `/` here, for ever.
    let router = router(&["/<string(minlength=0):x>/"]);
    assert_eq!(get(&router, "/"), "404");
    assert_eq!(get(&router, "/a"), "-> /a/");
}

#[test]
fn build_only_rules_never_match() {
    let mut builder = RouterBuilder::new();
    let only = builder.add(rule("/x", "").build_only(true), "x");
    let then = builder.add(rule("/<y>", ""), "y");
    let router = builder.freeze();
    assert_eq!((only.index(), then.index()), (0, 1));
    assert_eq!(get(&router, "/x"), "1; y=str x");
    assert_eq!(router.build(only, &[]).unwrap(), "/x");
}

#[test]
fn allowed_methods() {
    let mut builder = RouterBuilder::new();
    builder.add(rule("/m", "methods=POST,GET"), "");
    builder.add(rule("/m", "methods=PURGE,DELETE"), "");
    builder.add(rule("/all", ""), "");
    let router = builder.freeze();
    let names = |path| {
        let allowed = router.allowed(path);
        allowed.iter().map(|m| m.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("/m"), "DELETE GET HEAD POST PURGE");
    assert_eq!(names("/all"), "");
    assert_eq!(names("/none"), "");
}

#[test]
fn sixteen_variables() {
    let names: Vec<_> = (0..16).map(|i| format!("<v{i}>")).collect();
    let router = router(&[&format!("/{}", names.join("/")), &format!("/{}", names.join("-"))]);
    for separator in ["/", "-"] {
        let values: Vec<_> = (0..16).map(|i| format!("value{i}")).collect();
        let path = format!("/{}", values.join(separator));
        let Found::Match { args, .. } = router.find(&Method::GET, &path) else { panic!("{path}") };
        let found: Vec<_> = args.iter(&path).map(|arg| arg.to_string()).collect();
        assert_eq!(found, values);
    }
}

#[test]
fn arguments_are_small_and_foreign_paths_do_no_harm() {
    assert!(size_of::<Args>() <= 160, "{}", size_of::<Args>());
    assert!(size_of::<Found>() <= 160, "{}", size_of::<Found>());
    let router = router(&["/<a>"]);
    let Found::Match { args, .. } = router.find(&Method::GET, "/abc") else { panic!() };
    assert_eq!(args.get(0, "/"), None);
    assert_eq!(args.get(0, "üü"), None);
    assert_eq!(args.get(1, "/abc"), None);
    assert_eq!(args.iter("").count(), 0);
}

/// Words of lower case, joined by hyphens; `first-draft` is refused, `answer` is a number.
struct Slug;

impl Converter for Slug {
    fn matches(&self, text: &str) -> bool {
        text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    }

    fn convert(&self, text: &str) -> Outcome {
        match text {
            "first-draft" => Outcome::Reject,
            "answer" => Outcome::Value(ViewArg::Int(42)),
            _ => Outcome::Text,
        }
    }

    fn weight(&self) -> i32 {
        60
    }
}

/// Anything, slashes too.
struct Everything;

impl Converter for Everything {
    fn matches(&self, _text: &str) -> bool {
        true
    }

    fn part_isolating(&self) -> bool {
        false
    }
}

#[test]
fn custom_converters() {
    let mut converters = Converters::default();
    converters.register("slug", Slug);
    converters.register("all", Everything);
    let mut builder = RouterBuilder::new();
    for text in ["/s/<name>", "/s/<slug:s>", "/m/<slug:s>-<int:n>.<slug:t>", "/a/<all:x>/end"] {
        builder.add(Rule::parse(text, &converters).unwrap(), "");
    }
    let router = builder.freeze();
    assert_eq!(get(&router, "/s/a-b"), "1; s=str a-b");
    assert_eq!(get(&router, "/s/A"), "0; name=str A");
    assert_eq!(get(&router, "/s/answer"), "1; s=int 42");
    assert_eq!(get(&router, "/s/first-draft"), "404");
    assert_eq!(get(&router, "/m/a-b-7.c-d"), "2; s=str a-b; n=int 7; t=str c-d");
    assert_eq!(get(&router, "/m/a-b-7."), "404");
    assert_eq!(get(&router, "/a/1/2/end"), "3; x=str 1/2");
}

#[test]
fn a_converter_may_take_over_a_name() {
    let mut converters = Converters::default();
    converters.register("default", Slug);
    let mut builder = RouterBuilder::new();
    builder.add(Rule::parse("/<x>", &converters).unwrap(), "");
    let router = builder.freeze();
    assert_eq!(get(&router, "/a"), "0; x=str a");
    assert_eq!(get(&router, "/A"), "404");
}

#[test]
fn hostile_segments_end_soon() {
    let mut converters = Converters::default();
    converters.register("slug", Slug);
    let rules = [
        "/1/<a>-<b>-<c>-<d>-<e>x<f>",
        "/2/<string(minlength=2, maxlength=900):a>-<string(maxlength=900):b>-<c><d><e>x<f>",
        "/3/<int:a><int:b><int:c><int:d><int:e><int:f>.<int:g>",
        "/4/<path:a>/<path:b>/<path:c>/<path:d>/<path:e>/<path:f>/x",
        "/5/<any(a, aa, aaa):a><any(a, aa):b><c>x<d>x<e>x<f>y",
        "/6/<slug:a><slug:b><slug:c><path:d>/x<e>",
        "/7/<slug:a>-<slug:b>-<slug:c>-<slug:d>-<slug:e><slug:f>x<slug:g>-",
    ];
    let mut builder = RouterBuilder::new();
    for text in rules {
        builder.add(Rule::parse(text, &converters).unwrap(), "");
    }
    let router = builder.freeze();
    let began = std::time::Instant::now();
    for (n, byte) in (1..).zip(["-", "-", "1", "/a", "a", "/-", "-"]) {
        let path = format!("/{n}/a{}", byte.repeat(8192 / byte.len()));
        assert!(matches!(router.find(&Method::GET, &path), Found::NotFound));
    }
    // A backtracking matcher would need about 8192⁵ steps; this is some 10⁶ of them, unoptimised.
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
