use std::collections::HashSet;

use dewar::{App, MultiDict, Request, Response, Result};

/// As Python's `ascii`.
fn ascii(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c == quote => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) < 0x100 => out += &format!("\\x{:02x}", u32::from(c)),
            c if u32::from(c) < 0x1_0000 => out += &format!("\\u{:04x}", u32::from(c)),
            c => out += &format!("\\U{:08x}", u32::from(c)),
        }
    }
    out.push(quote);
    out
}

fn names(values: &MultiDict) -> usize {
    values.iter().map(|(name, _)| name).collect::<HashSet<_>>().len()
}

fn echo(rest: String, request: Request) -> Result<Response> {
    let form = names(request.form()?);
    // A form that was read is not data any more.
    let data = if request.mimetype() == "application/x-www-form-urlencoded" { 0 } else { request.data()?.len() };
    let told = format!("{} {} {form} {} {data}", ascii(&rest), names(request.args()), names(&request.cookies()));
    Ok(Response::text(told))
}

pub(crate) fn app() -> App {
    let mut app = crate::app("hostile");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.route("/echo/<path:rest>", echo).methods(["GET", "POST"]);
    app
}
