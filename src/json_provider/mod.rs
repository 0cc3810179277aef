//! JSON as Flask's default provider prints it, byte for byte.

mod print;
mod text;
mod tree;
mod tree_maps;

use std::borrow::Cow;

use http::HeaderValue;
use serde::Serialize;

use self::print::Style;
use self::tree::ToTree;
use crate::error::Result;
use crate::response::Response;

/// How JSON is printed, as by Flask's `app.json`, whose names and defaults these are.
///
/// An app that is given one ([`App::json`](crate::App::json), or `FLASK_JSON` in the configuration) prints by it what
/// [`jsonify`](crate::jsonify), [`Json`](crate::Json), maps and JSON values answer, and the template filter `tojson`:
/// the bytes are those of Flask. Numbers are written as Python writes them: `1e16` as `1e+16`, `1.0` with its point, and
/// what is not finite as `NaN`, `Infinity` or `-Infinity`, which is no JSON. Without one, serde_json prints.
///
/// ```
/// use dewar::{App, JsonProvider, json, jsonify};
///
/// let mut app = App::new("demo");
/// app.json(JsonProvider::default());
/// app.get("/", || jsonify(json!({ "name": "é", "list": [1, 1.0, 1e16] })));
/// let response = app.test_client().get("/");
/// assert_eq!(response.text(), "{\"list\":[1,1.0,1e+16],\"name\":\"\\u00e9\"}\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonProvider {
    /// Whether the keys of maps are sorted, by code points (and as numbers, where they are numbers); the default is
    /// `true`. Otherwise they come in their own order.
    pub sort_keys: bool,
    /// Whether what is not ASCII is written as `\uXXXX`; the default is `true`.
    pub ensure_ascii: bool,
    /// Whether responses are written without white space; `None`, the default, means unless `DEBUG` is set. Otherwise
    /// they are indented by two.
    pub compact: Option<bool>,
    /// The `Content-Type` of responses; the default is `application/json`.
    pub mimetype: Cow<'static, str>,
}

impl Default for JsonProvider {
    fn default() -> Self {
        JsonProvider { sort_keys: true, ensure_ascii: true, compact: None, mimetype: JSON.into() }
    }
}

pub(crate) const JSON: &str = "application/json";

impl JsonProvider {
    /// The value as JSON in one line, with a space behind each `,` and `:` (Flask's `app.json.dumps`).
    ///
    /// ```
    /// use dewar::{JsonProvider, json};
    ///
    /// let provider = JsonProvider::default();
    /// assert_eq!(provider.dumps(json!({ "b": [1, 2], "a": null }))?, r#"{"a": null, "b": [1, 2]}"#);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the value cannot be written as JSON, such as a map whose keys are lists; when it holds raw JSON that is nested
    /// more than 1000 deep.
    #[track_caller]
    pub fn dumps(&self, value: impl Serialize) -> Result<String> {
        Ok(print::print(&value.serialize(ToTree)?, self.style(", ", None)))
    }

    /// As [`JsonProvider::dumps`], on lines that are indented by so many spaces.
    #[cfg(feature = "templates")]
    pub(crate) fn dumps_indented(&self, value: impl Serialize, indent: usize) -> Result<String> {
        Ok(print::print(&value.serialize(ToTree)?, self.style(",", Some(indent))))
    }

    /// The text of a response: compact or indented, with a line feed behind it (Flask's `app.json.response`).
    ///
    /// # Errors
    /// As [`JsonProvider::dumps`].
    #[track_caller]
    pub fn response(&self, value: impl Serialize) -> Result<Response> {
        Ok(Response::of_type(self.content_type()?, self.page(&value.serialize(ToTree)?)))
    }

    /// JSON that serde_json has written, printed anew. `None` when it is none, or nested too deeply.
    pub(crate) fn reprint(&self, json: &[u8]) -> Option<String> {
        Some(self.page(&text::read(std::str::from_utf8(json).ok()?)?))
    }

    /// # Errors
    /// When the type cannot be a header's value.
    pub(crate) fn content_type(&self) -> Result<HeaderValue> {
        Ok(match &self.mimetype {
            Cow::Borrowed(JSON) => HeaderValue::from_static(JSON),
            other => HeaderValue::try_from(&**other)?,
        })
    }

    fn page(&self, tree: &tree::Tree) -> String {
        let style = match self.compact {
            Some(false) => self.style(",", Some(2)),
            _ => Style { key_separator: ":", ..self.style(",", None) },
        };
        let mut page = print::print(tree, style);
        page.push('\n');
        page
    }

    fn style(&self, item_separator: &'static str, indent: Option<usize>) -> Style {
        Style { item_separator, key_separator: ": ", indent, ascii: self.ensure_ascii, sort: self.sort_keys }
    }
}
