use dewar::{App, Request, Result, abort};

/// As Python shows it.
fn word(yes: bool) -> &'static str {
    if yes { "True" } else { "False" }
}

fn asked(request: Request, kind: String) -> Result<String> {
    let accept = match kind.as_str() {
        "type" => request.accept_mimetypes(),
        "language" => request.accept_languages(),
        "charset" => request.accept_charsets(),
        "encoding" => request.accept_encodings(),
        _ => abort!(500),
    };
    let offers = request.args().getlist("o");
    let best = accept.best_match(offers.iter().copied()).unwrap_or("None");
    let qualities: Vec<String> = offers.iter().map(|offer| format!("{offer}={}", accept.quality(offer))).collect();
    let contained: Vec<&str> = offers.iter().map(|offer| word(accept.contains(offer))).collect();
    let values: Vec<String> = accept.values().map(|value| format!("'{value}'")).collect();
    Ok(format!(
        "best: {best}\nqualities: {}\nin: {}\nvalues: [{}]\nheader: {accept}\n",
        qualities.join(" "),
        contained.join(" "),
        values.join(", ")
    ))
}

fn words(request: Request) -> String {
    let accept = request.accept_mimetypes();
    format!(
        "{} {} {} {}",
        word(accept.accept_html()),
        word(accept.accept_json()),
        word(accept.accept_xhtml()),
        accept.best().unwrap_or("None")
    )
}

pub(crate) fn app() -> App {
    let mut app = crate::app("accept");
    app.get("/<kind>", asked);
    app.get("/type-words", words);
    app
}
