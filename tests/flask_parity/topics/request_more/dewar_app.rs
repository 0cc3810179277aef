use std::time::SystemTime;

use dewar::http_date::format_http_date;
use dewar::routing::ArgRef;
use dewar::{App, ByteRange, ETags, IfRange, Request, Response, current_context};

const NAMES: [&str; 25] = [
    "host_url",
    "root_url",
    "url_root",
    "base_url",
    "root_path",
    "script_root",
    "access_route",
    "mimetype_params",
    "content_encoding",
    "referrer",
    "origin",
    "date",
    "max_forwards",
    "is_secure",
    "blueprints",
    "view_args",
    "want_form_data_parsed",
    "if_match",
    "if_none_match",
    "if_modified_since",
    "if_unmodified_since",
    "if_range",
    "range",
    "cache_control",
    "user_agent",
];

/// As Python shows it.
fn word(yes: bool) -> String {
    if yes { "True" } else { "False" }.to_owned()
}

fn or_none(text: Option<impl ToString>) -> String {
    text.map_or("None".to_owned(), |text| text.to_string())
}

/// As Python shows a `datetime`.
fn moment(at: Option<SystemTime>) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let Some(text) = at.map(format_http_date) else { return "None".into() };
    let words: Vec<&str> = text.split(' ').collect();
    let month = MONTHS.find(words[2]).expect("a month") / 3 + 1;
    format!("{}-{month:02}-{} {}+00:00", words[3], words[1], words[4])
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("'{}'", item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// Sorted, since Python's order is by chance.
fn tags(tags: &ETags) -> String {
    let text = tags.to_string();
    let mut tags: Vec<&str> = text.split(", ").collect();
    tags.sort_unstable();
    tags.join(", ")
}

fn range(range: ByteRange) -> String {
    match range {
        ByteRange::FromTo(start, end) => format!("({start}, {end})"),
        ByteRange::From(start) => format!("({start}, None)"),
        ByteRange::Last(count) => format!("(-{count}, None)"),
    }
}

fn view_args() -> String {
    let ctx = current_context().expect("in a request");
    let args = ctx.view_arg_names().iter().map(|name| match ctx.view_arg_named(name) {
        Some(ArgRef::Int(n)) => format!("'{name}': {n}"),
        other => format!("'{name}': '{}'", or_none(other)),
    });
    format!("{{{}}}", args.collect::<Vec<_>>().join(", "))
}

fn shown(request: &Request, name: &str) -> String {
    match name {
        "host_url" => request.host_url(),
        "root_url" => request.root_url(),
        "url_root" => request.url_root(),
        "base_url" => request.base_url(),
        "root_path" => request.root_path().to_owned(),
        "script_root" => request.script_root().to_owned(),
        "access_route" => list(request.access_route()),
        "mimetype_params" => {
            let params = request.mimetype_params();
            let params: Vec<String> = params.iter().map(|(name, value)| format!("'{name}': '{value}'")).collect();
            format!("{{{}}}", params.join(", "))
        }
        "content_encoding" => or_none(request.content_encoding()),
        "referrer" => or_none(request.referrer()),
        "origin" => or_none(request.origin()),
        "date" => moment(request.date()),
        "max_forwards" => or_none(request.max_forwards()),
        "is_secure" => word(request.is_secure()),
        "blueprints" => list(current_context().expect("in a request").blueprints()),
        "view_args" => view_args(),
        "want_form_data_parsed" => word(request.content_type().is_some_and(|kind| !kind.is_empty())),
        "if_match" => tags(&request.if_match()),
        "if_none_match" => tags(&request.if_none_match()),
        "if_modified_since" => moment(request.if_modified_since()),
        "if_unmodified_since" => moment(request.if_unmodified_since()),
        "if_range" => match request.if_range() {
            Some(IfRange::ETag { tag, .. }) => format!("{tag} None"),
            Some(IfRange::Date(at)) => format!("None {}", moment(Some(at))),
            None => "None None".into(),
        },
        "range" => request.range().map_or("None".into(), |asked| {
            let ranges: Vec<String> = asked.ranges().iter().copied().map(range).collect();
            format!("{} [{}]", asked.units(), ranges.join(", "))
        }),
        "cache_control" => request.cache_control().to_string(),
        _ => request.user_agent().into_owned(),
    }
}

fn dump(request: Request) -> Response {
    let only = request.args().get("only").unwrap_or_default();
    let mut wanted: Vec<&str> = only.split_whitespace().collect();
    if wanted.is_empty() {
        wanted = NAMES.to_vec();
    }
    wanted.retain(|name| NAMES.contains(name));
    Response::text(wanted.into_iter().map(|name| format!("{name}: {}\n", shown(&request, name))).collect::<String>())
}

pub(crate) fn app() -> App {
    let mut app = crate::app("request_more");
    app.route("/dump", dump).endpoint("dump").methods(["GET", "POST"]);
    app.route("/dump/<int:n>", dump).endpoint("dump").methods(["GET", "POST"]);
    app.get("/agent", |request: Request| request.user_agent().into_owned());
    app
}
