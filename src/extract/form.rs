//! What a request's body is read as: a form, JSON, or neither.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::error::HttpError;
use crate::form::{Files, FormData};
use crate::multidict::MultiDict;
use crate::request::Request;

pub(super) const URLENCODED: &str = "application/x-www-form-urlencoded";
pub(super) const MULTIPART: &str = "multipart/form-data";

impl Request {
    /// The form that the body carries, read once and kept (Flask's `request.form` and `request.files`), whatever the
    /// method. A body of another type is no form: then it is empty. So is one that is malformed, as in Flask, but
    /// [`FormData::malformed`] says why.
    ///
    /// ```
    /// use dewar::{App, Result, request};
    ///
    /// fn add() -> Result<String> {
    ///     let request = request(); // what the form gives is borrowed of it
    ///     let form = request.form()?;
    ///     let name = form.require("name")?; // Flask's `request.form["name"]`: 400 when it is missing
    ///     let photo = form.file("photo").map_or(0, |file| file.len());
    ///     Ok(format!("{name}, {} years, {photo} bytes", form.get("age").unwrap_or("?")))
    /// }
    /// let mut app = App::new("demo");
    /// app.post("/", add);
    /// let client = app.test_client();
    /// assert_eq!(client.post("/").form([("name", "Ada")]).send().text(), "Ada, ? years, 0 bytes");
    /// assert_eq!(client.post("/").form([("age", "36")]).send().status(), 400);
    /// ```
    ///
    /// # Errors
    /// 413 when it is larger than the limits allow, 400 when the client went away; the same each time that it is asked
    /// for. 500 when there is no room for a large upload.
    pub fn form(&self) -> Result<&FormData, HttpError> {
        let form = self.form_slot().get_or_init(|| self.read_form().map_err(Into::into));
        form.as_ref().map_err(|unread| unread.clone().into())
    }

    /// The files that the form carries (Flask's `request.files`); only `multipart/form-data` does, by the feature
    /// `multipart`.
    ///
    /// # Errors
    /// As [`form`](Request::form).
    pub fn files(&self) -> Result<&Files, HttpError> {
        Ok(&self.form()?.files)
    }

    /// The query string's arguments, and behind them the form's fields, but for those of a GET (Flask's `values`).
    ///
    /// # Errors
    /// As [`form`](Request::form).
    pub fn values(&self) -> Result<Cow<'_, MultiDict>, HttpError> {
        if self.method() == Method::GET {
            return Ok(Cow::Borrowed(self.args()));
        }
        let form = self.form()?;
        Ok(match (self.args().is_empty(), form.fields.is_empty()) {
            (_, true) => Cow::Borrowed(self.args()),
            (true, false) => Cow::Borrowed(&form.fields),
            (false, false) => Cow::Owned(self.args().iter().chain(form.fields.iter()).collect()),
        })
    }

    /// The body, read once and kept, unless it is a form: that is read as one, and then this is empty (Flask's `data`).
    /// For the body whatever it is, see [`get_data`](Request::get_data).
    ///
    /// ```
    /// use dewar::{App, request};
    ///
    /// let mut app = App::new("demo");
    /// app.post("/", || request().data());
    /// let client = app.test_client();
    /// assert_eq!(client.post("/").body("a=b").send().text(), "a=b");
    /// assert_eq!(client.post("/").form([("a", "b")]).send().text(), "");
    /// ```
    ///
    /// # Errors
    /// As [`get_data`](Request::get_data) and [`form`](Request::form).
    pub fn data(&self) -> Result<Bytes, HttpError> {
        if !self.has_data() {
            self.form()?;
        }
        self.get_data()
    }

    /// The body as JSON of any shape (Flask's `get_json(force, silent)`). With `force` the `Content-Type` does not count;
    /// with `silent` there is `None` where there would be 415 or 400. For JSON of a type of one's own there are
    /// [`json`](Request::json) and the extractor [`Json`](crate::Json).
    ///
    /// ```
    /// use dewar::{Request, json};
    ///
    /// let request = Request::post("/", "{\"a\": 1}");
    /// assert_eq!(request.get_json(false, false).unwrap_err().status(), 415);
    /// assert_eq!(request.get_json(false, true).unwrap(), None);
    /// assert_eq!(request.get_json(true, false).unwrap(), Some(json!({ "a": 1 })));
    /// ```
    ///
    /// # Errors
    /// 415 when the `Content-Type` is not JSON, 400 when the body is not (which says why when the app's `DEBUG` is set),
    /// and as [`get_data`](Request::get_data), be it silent or not.
    pub fn get_json(&self, force: bool, silent: bool) -> Result<Option<Value>, HttpError> {
        if !force && !self.is_json() {
            let refusal = HttpError::new(415).with_description(
                "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
            );
            return if silent { Ok(None) } else { Err(refusal) };
        }
        match serde_json::from_slice(&self.get_data()?) {
            Ok(value) => Ok(Some(value)),
            Err(_) if silent => Ok(None),
            Err(error) => {
                let why = format!("Failed to decode JSON object: {error}");
                Err(HttpError::new(400).with_debug_description(why))
            }
        }
    }

    fn read_form(&self) -> Result<FormData, HttpError> {
        match self.mimetype().as_str() {
            URLENCODED => {
                // The form is held in memory, so it has a bound of its own beside the body's.
                let body = self.stream()?.limited(self.form_limits().memory);
                let data = body.into_bytes()?;
                Ok(match std::str::from_utf8(&data) {
                    Ok(text) => FormData { fields: MultiDict::parse(text), ..FormData::default() },
                    Err(_) => FormData::is_malformed("it is not UTF-8"),
                })
            }
            #[cfg(feature = "multipart")]
            MULTIPART => crate::multipart::read(self),
            _ => Ok(FormData::default()),
        }
    }
}
