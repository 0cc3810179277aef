//! The guestbook: a blueprint with a form, a session and flashed messages.

use std::collections::BTreeMap;

use dewar::{
    Blueprint, Form, IntoResponse, Query, Redirect, Response, Result, Session, State, abort, context, flash, redirect,
    render, url_for,
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

fn list(store: State<Store>, session: Session, Query(older): Query<Older>) -> Result<String> {
    // Who has signed before need not say so again.
    let form = NewEntry { name: session.get("name").unwrap_or_default(), message: String::new() };
    page(&store, older.before, &form, &BTreeMap::new())
}

fn add(store: State<Store>, session: Session, Form(form): Form<NewEntry>) -> Result<Response> {
    let form = form.tidy();
    let mistakes = form.mistakes();
    if !mistakes.is_empty() {
        return (page(&store, None, &form, &mistakes)?, 422).into_response();
    }
    let entry = store.add(&form)?;
    flash(format!("Thank you, {}. Your entry is in the book.", form.name))?;
    session.set("name", form.name)?;
    let there = url_for!(".list", _anchor = format!("entry-{}", entry.id))?;
    redirect(there).see_other().into_response()
}

fn delete(id: i64, store: State<Store>) -> Result<Redirect> {
    if !store.delete(id)? {
        abort!(404, "There is no entry {id}; it may have been deleted already.");
    }
    flash("The entry is deleted.")?;
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
