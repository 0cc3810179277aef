//! What requests share: a value given to the app, taken as `State<T>`, and one's own extractor over it.
//!
//! `cargo run --example state`, then `curl -d name=tea -d count=2 http://127.0.0.1:5000/`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dewar::{App, Ctx, Form, FromRequest, Json, Or500, OrAbort, Result, State};
use serde::Deserialize;

#[derive(Default)]
struct Stock {
    items: Mutex<BTreeMap<String, u32>>,
}

#[derive(Deserialize)]
struct Delivery {
    name: String,
    count: u32,
}

/// An extractor of the app's own: who asks, by a header.
struct Customer(String);

impl FromRequest for Customer {
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        let name = ctx.request().header("x-customer").or_abort(401)?;
        Ok(Customer(name.to_owned()))
    }
}

fn list(stock: State<Stock>) -> Result<Json<BTreeMap<String, u32>>> {
    Ok(Json(stock.items.lock().or_500()?.clone()))
}

fn deliver(stock: State<Stock>, Form(delivery): Form<Delivery>) -> Result<(String, u16)> {
    let mut items = stock.items.lock().or_500()?;
    let count = items.entry(delivery.name).or_default();
    *count = count.saturating_add(delivery.count);
    Ok((format!("{count} now"), 201))
}

fn buy(stock: State<Stock>, name: String, customer: Customer) -> Result<String> {
    let mut items = stock.items.lock().or_500()?;
    let count = items.get_mut(&name).filter(|count| **count > 0).or_404()?;
    *count -= 1;
    Ok(format!("{name} for {}, {count} left", dewar::escape_html(&customer.0)))
}

pub fn app() -> App {
    let mut app = App::new("state");
    app.state(Stock::default());
    app.get("/", list);
    app.post("/", deliver);
    app.post("/buy/<name>", buy);
    app
}

fn main() -> Result<()> {
    app().run()
}
