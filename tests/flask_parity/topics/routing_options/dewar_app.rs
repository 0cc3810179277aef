use dewar::routing::{ArgRef, Converter, Outcome, UrlValue, ViewArg};
use dewar::{App, Request, Result, url_for};

struct List;

impl Converter for List {
    fn matches(&self, _: &str) -> bool {
        true
    }

    fn convert(&self, text: &str) -> Outcome {
        Outcome::Value(ViewArg::Str(text.replace(',', "+")))
    }

    fn to_url(&self, value: &ViewArg) -> Result<String, String> {
        Ok(value.to_string().replace('+', ","))
    }
}

struct Even;

impl Converter for Even {
    fn matches(&self, text: &str) -> bool {
        text.bytes().all(|b| b.is_ascii_digit()) && text.ends_with(['0', '2', '4', '6', '8'])
    }

    fn weight(&self) -> i32 {
        40
    }
}

fn build(request: Request) -> Result<String> {
    let args = request.args();
    let mut values: Vec<(&str, UrlValue)> = Vec::new();
    for (name, value) in args.iter() {
        if name != "endpoint" && values.iter().all(|(known, _)| *known != name) {
            values.push((name, UrlValue::from(crate::rules::typed(value))));
        }
    }
    url_for(args.require("endpoint")?, &values)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("routing_options");
    app.converter("list", List);
    app.converter("even", Even);
    crate::rules::add(&mut app, include_str!("rules.txt"));
    app.get("/build", build).endpoint("build");
    app.add_url_rule("/callable/<int:n>", "callable").redirect_to_with(|args| match args.get("n") {
        Some(ArgRef::Int(n)) => format!("new/{}", n + 1),
        _ => "new/0".to_owned(),
    });
    app
}
