//! What happens when things fail: `?` on any error, `abort!`, handlers by status and by type, JSON errors, a panic.
//!
//! `cargo run --example errors`, then open <http://127.0.0.1:5000/>

use std::fmt;
use std::num::ParseIntError;

use dewar::{App, HttpError, Json, Or500, OrAbort, Result, abort};

/// An error of the app's own, which `?` takes like any other.
#[derive(Debug)]
struct OutOfStock {
    item: String,
}

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are no {}s left", self.item)
    }
}

impl std::error::Error for OutOfStock {}

fn buy(item: String) -> Result<String> {
    match item.as_str() {
        "apple" => Ok("an apple for you".into()),
        "pear" => Err(OutOfStock { item })?,
        "stone" => abort!(400, "We do not sell stones."),
        _ => abort!(404),
    }
}

fn double(n: String) -> Result<String> {
    let n: i64 = n.parse()?;
    Ok(n.checked_mul(2).or_abort(400)?.to_string())
}

/// `.or_500()` is for errors that are no `std::error::Error`.
fn unlucky() -> Result<String> {
    let draw: Result<(), String> = Err("the wheel is stuck".into());
    draw.or_500()?;
    Ok("won".into())
}

fn broken() -> &'static str {
    panic!("this handler is broken")
}

pub fn app() -> App {
    let mut app = App::new("errors");
    app.get("/", || {
        "<a href=/buy/apple>apple</a> <a href=/buy/pear>pear</a> <a href=/buy/stone>stone</a> <a href=/double/x>double x</a> \
         <a href=/unlucky>unlucky</a> <a href=/broken>broken</a> <a href=/nowhere>nowhere</a>"
    });
    app.get("/buy/<item>", buy);
    app.get("/double/<n>", double);
    app.get("/unlucky", unlucky);
    app.get("/broken", broken);

    app.errorhandler(404, |_: HttpError| ("<h1>Nothing here</h1>", 404));
    app.errorhandler_for(|error: OutOfStock| (error.to_string(), 409));
    app.errorhandler_for(async |error: ParseIntError| (format!("That is no number: {error}."), 400));
    // What no handler above took, as JSON.
    app.errorhandler_for(|error: HttpError| {
        let status = error.status();
        (Json(serde_json::json!({ "code": status.as_u16(), "description": error.description() })), status)
    });
    app
}

fn main() -> Result<()> {
    app().run()
}
