//! Rules that both sides read from one text: `rules.txt` of a topic. rules.py is the other half and has the format.

use dewar::routing::{ArgRef, ViewArg};
use dewar::{Scaffold, current_context};

/// `int:5`, `float:1.5`, `uuid:…`; anything else is text. `None` is Python's.
pub(crate) fn typed(text: &str) -> Option<ViewArg> {
    match text.split_once(':') {
        Some(("int", n)) => Some(ViewArg::Int(n.parse().expect("an int"))),
        Some(("float", x)) => Some(ViewArg::Float(x.parse().expect("a float"))),
        Some(("uuid", id)) => Some(ViewArg::Uuid(id.parse().expect("a uuid"))),
        Some(("str", text)) => Some(text.into()),
        Some(("none", _)) => None,
        _ => Some(text.into()),
    }
}

/// Says which endpoint it is, and its arguments with their types.
pub(crate) fn told() -> String {
    let ctx = current_context().expect("in a request");
    let mut args: Vec<String> = ctx
        .view_arg_names()
        .iter()
        .map(|name| match ctx.view_arg_named(name).expect("it has a value") {
            ArgRef::Int(n) => format!("{name}=int:{n}"),
            ArgRef::Float(x) => format!("{name}=float:{x:?}"),
            ArgRef::Uuid(id) => format!("{name}=uuid:{id}"),
            other => format!("{name}=str:{other}"),
        })
        .collect();
    args.sort();
    args.insert(0, ctx.endpoint().expect("a rule matched").to_owned());
    args.join(" ") + "\n"
}

/// Adds the rules of the text.
///
/// # Panics
/// When a line has an option that is not known here yet.
pub(crate) fn add(scaffold: &mut Scaffold, rules: &str) {
    for line in rules.lines() {
        let mut words = line.split_whitespace();
        let (Some(methods), Some(rule), Some(endpoint)) = (words.next(), words.next(), words.next()) else { continue };
        if methods.starts_with('#') {
            continue;
        }
        let mut route = scaffold.route(rule, told).endpoint(endpoint);
        if methods != "-" {
            route = route.methods(methods.split(','));
        }
        for option in words {
            let (name, value) = option.split_once('=').expect("an option has a value");
            route = match name.strip_prefix("default:") {
                Some(name) => route.default(name, typed(value).expect("a value")),
                None if name == "strict" => route.strict_slashes(value == "true"),
                None if name == "options" => route.automatic_options(value == "true"),
                None if name == "merge" => route.merge_slashes(value == "true"),
                None if name == "alias" => route.alias(value == "true"),
                None if name == "build_only" => route.build_only(value == "true"),
                None if name == "redirect_to" => route.redirect_to(value),
                None if name == "host" => route.host(value),
                None if name == "subdomain" => route.subdomain(value),
                None => panic!("rules.rs does not know `{option}`"),
            };
        }
    }
}
