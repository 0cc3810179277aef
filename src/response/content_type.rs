//! The type of what is sent.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::Response;

/// The whole `Content-Type` of a type: `; charset=utf-8` is added to text, to what ends in `+xml`, and to the few types
/// beside these that are text (Werkzeug's `get_content_type`); not to JSON. A charset that is there stays.
pub(crate) fn content_type_of(mimetype: &str) -> String {
    let bare = mimetype.split(';').next().unwrap_or("").trim();
    let is_text = bare.starts_with("text/")
        || bare.ends_with("+xml")
        || matches!(
            bare,
            "application/ecmascript"
                | "application/javascript"
                | "application/sql"
                | "application/xml"
                | "application/xml-dtd"
                | "application/xml-external-parsed-entity"
        );
    if is_text && !mimetype.to_ascii_lowercase().contains("charset=") {
        return format!("{mimetype}; charset=utf-8");
    }
    mimetype.to_owned()
}

impl Response {
    /// The `Content-Type`.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// Sets the `Content-Type`, as it is: without a charset where none is said.
    ///
    /// # Panics
    /// At the caller's line, when it cannot be a header's value.
    #[track_caller]
    pub fn set_content_type(&mut self, content_type: &str) {
        let Ok(value) = HeaderValue::try_from(content_type) else {
            panic!("the content type {content_type:?} has a character that a header cannot carry");
        };
        self.headers.insert(CONTENT_TYPE, value);
    }

    /// The `Content-Type` without its parameters.
    pub fn mimetype(&self) -> Option<&str> {
        self.content_type().map(|t| t.split(';').next().unwrap_or(t).trim())
    }

    /// Sets the `Content-Type` by the type alone: `; charset=utf-8` is added to what is text, as Flask does.
    ///
    /// ```
    /// use dewar::Response;
    ///
    /// let mut response = Response::new("a;b");
    /// response.set_mimetype("text/csv");
    /// assert_eq!(response.content_type(), Some("text/csv; charset=utf-8"));
    /// response.set_mimetype("application/json");
    /// assert_eq!(response.content_type(), Some("application/json"));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when it cannot be a header's value.
    #[track_caller]
    pub fn set_mimetype(&mut self, mimetype: &str) {
        self.set_content_type(&content_type_of(mimetype));
    }

    /// The same of another type: see [`Response::set_mimetype`].
    ///
    /// # Panics
    /// At the caller's line, when it cannot be a header's value.
    #[track_caller]
    pub fn with_mimetype(mut self, mimetype: &str) -> Response {
        self.set_mimetype(mimetype);
        self
    }

    /// Whether it is JSON: `application/json` or `application/…+json`.
    pub fn is_json(&self) -> bool {
        self.mimetype().is_some_and(|mimetype| {
            let mimetype = mimetype.to_ascii_lowercase();
            mimetype == "application/json" || (mimetype.starts_with("application/") && mimetype.ends_with("+json"))
        })
    }
}
