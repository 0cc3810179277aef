//! The guestbook: a blueprint with a form.

use std::collections::BTreeMap;

use dewar::{
    Blueprint, Cookie, Form, IntoResponse, Query, Redirect, Response, Result, State, abort, context, redirect, render,
    request, url_for,
};
use serde::Deserialize;

use super::store::{NewEntry, Store};

pub(crate) fn blueprint() -> Blueprint {
    let mut guestbook = Blueprint::new("guestbook").url_prefix("/guestbook");
    guestbook.get("/", list);
    guestbook.post("/", add);
    guestbook.post("/<int:id>/delete", delete);
    guestbook
}

/// Entries on a page.
const PAGE: usize = 10;

#[derive(Deserialize)]
struct Older {
    /// Show entries that are older than this one.
    before: Option<i64>,
}

fn list(store: State<Store>, Query(older): Query<Older>) -> Result<String> {
    let form = NewEntry { name: request().cookie("name").unwrap_or_default(), message: String::new() };
    page(&store, older.before, &form, &BTreeMap::new())
}

fn add(store: State<Store>, Form(form): Form<NewEntry>) -> Result<Response> {
    let form = form.tidy();
    let mistakes = form.mistakes();
    if !mistakes.is_empty() {
        return (page(&store, None, &form, &mistakes)?, 422).into_response();
    }
    let entry = store.add(&form)?;
    let there = url_for!(".list", _anchor = format!("entry-{}", entry.id))?;
    redirect(there).see_other().with_cookie(Cookie::new("name", form.name).path("/guestbook")).into_response()
}

fn delete(id: i64, store: State<Store>) -> Result<Redirect> {
    if !store.delete(id)? {
        abort!(404, "There is no entry {id}; it may have been deleted already.");
    }
    Ok(redirect(url_for!(".list")?).see_other())
}

fn page(
    store: &Store,
    before: Option<i64>,
    form: &NewEntry,
    mistakes: &BTreeMap<&'static str, String>,
) -> Result<String> {
    // One more than is shown says whether there are older ones.
    let mut entries = store.before(before.unwrap_or(i64::MAX), PAGE as u32 + 1)?;
    let older = (entries.len() > PAGE).then(|| entries[PAGE - 1].id);
    entries.truncate(PAGE);
    render("guestbook.html", context! { entries, older, before, form, mistakes, count => store.count()? })
}
