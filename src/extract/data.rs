//! Query strings and forms as typed values.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::form::{MULTIPART, URLENCODED};
use super::{FromRequest, Shape, wrong_type};
use crate::ctx::Ctx;
use crate::error::{HttpError, Result};

/// The query string as a `T`. A field that is missing or does not parse is answered with 400 and named.
///
/// ```
/// use dewar::{App, Query};
///
/// #[derive(serde::Deserialize)]
/// struct Page { page: u32, #[serde(default)] tag: Vec<String> }
///
/// let mut app = App::new("demo");
/// app.get("/posts", |Query(q): Query<Page>| format!("{} {:?}", q.page, q.tag)).endpoint("posts");
/// let client = app.test_client();
/// assert_eq!(client.get("/posts?page=2&tag=a&tag=b").text(), r#"2 ["a", "b"]"#);
///
/// let response = client.get("/posts?page=two");
/// assert_eq!(response.status(), 400);
/// assert!(response.text().contains("page"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        let query = ctx.request().checked_query()?;
        Ok(Query(deserialize(query.as_bytes(), "query string", 400)?))
    }
}

/// The body's form as a `T`: `application/x-www-form-urlencoded`, and with the feature `multipart` the text fields of
/// `multipart/form-data` too. A field that is missing or does not parse is answered with 422 and named, another
/// `Content-Type` with 415, and a body that is no such form with 400 ([`Request::form`](crate::Request::form) reads it as an empty one).
///
/// To show mistakes beside the fields of a page, take `Result<Form<T>>`, or [`Request::form`](crate::Request::form) and look for yourself.
///
/// ```
/// use dewar::{App, Form};
///
/// #[derive(serde::Deserialize)]
/// struct Entry { name: String, age: u8 }
///
/// let mut app = App::new("demo");
/// app.post("/", |Form(e): Form<Entry>| format!("{} is {}", e.name, e.age)).endpoint("add");
/// let client = app.test_client();
/// assert_eq!(client.post("/").form([("name", "Ada"), ("age", "36")]).send().text(), "Ada is 36");
/// assert_eq!(client.post("/").form([("name", "Ada"), ("age", "old")]).send().status(), 422);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Form<T> {
    fn describe(shape: &mut Shape) {
        shape.takes_body::<Self>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        let request = ctx.request();
        let form = match request.mimetype().as_str() {
            URLENCODED => request.form()?,
            MULTIPART if cfg!(feature = "multipart") => request.form()?,
            _ => return Err(wrong_type(request, URLENCODED).into()),
        };
        if let Some(why) = form.malformed() {
            return Err(HttpError::new(400).with_description(format!("The form is malformed: {why}.")).into());
        }
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(form.fields.iter());
        Ok(Form(deserialize(encoded.finish().as_bytes(), "form", 422)?))
    }
}

fn deserialize<T: DeserializeOwned>(encoded: &[u8], what: &str, status: u16) -> Result<T, HttpError> {
    let pairs = serde_html_form::Deserializer::new(form_urlencoded::parse(encoded));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        HttpError::new(status).with_description(match path.as_str() {
            "." => format!("The {what} does not fit: {reason}."),
            field => format!("The {what} does not fit at '{field}': {reason}."),
        })
    })
}
