//! The same table as JSON: a blueprint whose errors are JSON too.

use std::collections::BTreeMap;
use std::fmt;

use dewar::{
    Blueprint, HttpError, IntoResponse, Json, Query, Response, Result, State, abort, context, render, url_for,
};
use serde::Deserialize;
use serde_json::json;

use super::store::{Entry, NewEntry, Store};

pub(crate) fn blueprint() -> Blueprint {
    let mut api = Blueprint::new("api").url_prefix("/api");
    api.get("/", about);
    api.get("/entries", list);
    api.post("/entries", create);
    api.get("/entries/<int:id>", show);
    api.delete("/entries/<int:id>", delete);
    api.errorhandler_for(error);
    api.errorhandler_for(invalid);
    api
}

fn about(store: State<Store>) -> Result<String> {
    let answer = serde_json::to_string_pretty(&store.newest(2)?)?;
    render("api.html", context! { answer })
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
    before: Option<i64>,
}

fn list(store: State<Store>, Query(page): Query<Page>) -> Result<Json<Vec<Entry>>> {
    let limit = page.limit.unwrap_or(20).min(100);
    Ok(Json(store.before(page.before.unwrap_or(i64::MAX), limit)?))
}

fn show(id: i64, store: State<Store>) -> Result<Json<Entry>> {
    let Some(entry) = store.get(id)? else { abort!(404, "There is no entry {id}.") };
    Ok(Json(entry))
}

fn create(store: State<Store>, Json(new): Json<NewEntry>) -> Result<impl IntoResponse> {
    let new = new.tidy();
    let mistakes = new.mistakes();
    if !mistakes.is_empty() {
        return Err(Invalid(mistakes).into());
    }
    let entry = store.add(&new)?;
    let location = url_for!(".show", id = entry.id)?;
    Ok((Json(entry), 201, [("location", location)]))
}

fn delete(id: i64, store: State<Store>) -> Result<Response> {
    if !store.delete(id)? {
        abort!(404, "There is no entry {id}.");
    }
    Ok(Response::empty(204))
}

/// Every HTTP error: `abort!`'s, and those of the extractors.
pub(crate) fn error(error: HttpError) -> impl IntoResponse {
    let body = json!({ "status": error.status().as_u16(), "name": error.name(), "description": error.description() });
    (Json(json!({ "error": body })), error.status(), error.headers().clone())
}

/// An entry that cannot be taken, and why, by field.
#[derive(Debug)]
struct Invalid(BTreeMap<&'static str, String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid fields: {:?}", self.0.keys())
    }
}

impl std::error::Error for Invalid {}

fn invalid(Invalid(fields): Invalid) -> impl IntoResponse {
    let body = json!({ "status": 422, "name": "Unprocessable Entity", "fields": fields });
    (Json(json!({ "error": body })), 422)
}
