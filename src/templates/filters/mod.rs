//! Jinja's filters: those that the engine lacks, and those where it does otherwise.

mod args;
mod html;
mod json;
mod lists;
mod numbers;
pub(super) mod text;
mod urlize;
mod urls;
mod wrap;

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use std::sync::{Arc, OnceLock};

use args::Args;

use crate::json_provider::JsonProvider;
pub(super) use html::striptags;

type Filter = fn(&mut State<'_, '_>, &Value, &Args) -> Result<Value, Error>;

/// Each with its parameters, which a template may give by position or by name.
const FILTERS: &[(&str, &[&str], Filter)] = &[
    ("batch", &["linecount", "fill_with"], lists::batch),
    ("center", &["width"], text::center),
    ("count", &[], lists::length),
    ("d", &["default_value", "boolean"], lists::default),
    ("default", &["default_value", "boolean"], lists::default),
    ("dictsort", &["case_sensitive", "by", "reverse"], lists::dictsort),
    ("e", &[], html::escape),
    ("escape", &[], html::escape),
    ("filesizeformat", &["binary"], numbers::filesizeformat),
    ("float", &["default"], numbers::float),
    ("forceescape", &[], html::forceescape),
    ("indent", &["width", "first", "blank"], text::indent),
    ("int", &["default", "base"], numbers::int),
    ("items", &[], lists::items),
    ("length", &[], lists::length),
    ("max", &["case_sensitive", "attribute"], lists::max),
    ("min", &["case_sensitive", "attribute"], lists::min),
    ("pprint", &[], text::pprint),
    ("random", &[], lists::random),
    ("replace", &["old", "new", "count"], text::replace),
    ("slice", &["slices", "fill_with"], lists::slice),
    ("sort", &["reverse", "case_sensitive", "attribute"], lists::sort),
    ("string", &[], text::string),
    ("striptags", &[], html::strip),
    ("tojson", &["indent"], json::tojson),
    ("trim", &["chars"], text::trim),
    ("truncate", &["length", "killwords", "end", "leeway"], text::truncate),
    ("urlencode", &[], urls::urlencode),
    ("urlize", &["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], urlize::urlize),
    ("wordcount", &[], text::wordcount),
    ("wordwrap", &["width", "break_long_words", "wrapstring", "break_on_hyphens"], wrap::wordwrap),
    ("xmlattr", &["autospace"], html::xmlattr),
];

pub(super) fn add_to(env: &mut Environment<'static>) {
    for (name, parameters, filter) in FILTERS.iter().copied() {
        env.add_filter(
            name,
            move |state: &mut State<'_, '_>, value: &Value, given: Rest<ValueOrKwargs>| -> Result<Value, Error> {
                filter(state, value, &Args::bind(name, parameters, given)?)
            },
        );
    }
    // These take any arguments, for other filters.
    env.add_filter("map", lists::map);
    env.add_filter("format", text::format);
}

/// `tojson` by the app's JSON provider, which is known when the app is frozen.
pub(super) fn tojson_by(env: &mut Environment<'static>, provider: Arc<OnceLock<JsonProvider>>) {
    env.add_filter("tojson", move |state: &mut State<'_, '_>, value: &Value, given: Rest<ValueOrKwargs>| {
        let args = Args::bind("tojson", &["indent"], given)?;
        match provider.get() {
            Some(provider) => json::by_provider(provider, value, &args),
            None => json::tojson(state, value, &args),
        }
    });
}
