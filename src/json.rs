//! JSON, both ways, by serde_json.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::error::{Error, HttpError, Result};
use crate::json_provider::JsonProvider;
use crate::request::Request;
use crate::respond::IntoResponse;
use crate::response::Response;

/// JSON: as a handler's argument the request's body, as its answer the response's.
///
/// As an answer it is printed by serde_json, or, in an app that has one, by its [`JsonProvider`]. That one
/// prints anew what serde_json has written, for which a number that is not finite is `null`, and a number that is a map's
/// key is text; [`jsonify`](crate::jsonify) knows better.
///
/// ```
/// use dewar::{App, Json};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Point { x: i64, y: i64 }
///
/// fn flip(Json(point): Json<Point>) -> Json<Point> {
///     Json(Point { x: point.y, y: point.x })
/// }
///
/// let mut app = App::new("points");
/// app.post("/flip", flip);
/// let client = app.test_client();
/// let response = client.post("/flip").json(&Point { x: 1, y: 2 }).send();
/// assert_eq!(response.text(), r#"{"x":2,"y":1}"#);
///
/// let response = client.post("/flip").body("{\"x\": 1,\n}").header("content-type", "application/json").send();
/// assert_eq!(response.status(), 400);
/// assert!(response.text().contains("line 2 column 1"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response> {
        Ok(Response::json(serde_json::to_vec(&self.0)?))
    }
}

impl Request {
    /// The body as JSON (Flask's `get_json`).
    ///
    /// # Errors
    /// 415 when the `Content-Type` is not JSON, 400 with line and column when the body is not JSON, 422 with the field
    /// when it is JSON but not a `T`, and as [`Request::data`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        if !self.is_json() {
            return Err(HttpError::new(415).with_description(
                "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
            ));
        }
        let data = self.data()?;
        let mut reader = serde_json::Deserializer::from_slice(&data);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            // A misfit ends the reading; what comes behind it may show that this is no JSON at all.
            let malformed = error.is_data().then(|| serde_json::from_slice::<IgnoredAny>(&data).err()).flatten();
            refusal(&path, &malformed.unwrap_or(error))
        })?;
        reader.end().map_err(|error| refusal(".", &error))?;
        Ok(value)
    }
}

/// What is not JSON is a malformed request; what is JSON of the wrong shape is one that cannot be processed.
fn refusal(path: &str, error: &serde_json::Error) -> HttpError {
    match error.classify() {
        Category::Data if path == "." => {
            HttpError::new(422).with_description(format!("The JSON does not fit: {error}"))
        }
        Category::Data => HttpError::new(422).with_description(format!("The JSON does not fit at '{path}': {error}")),
        _ => HttpError::new(400).with_description(format!("The body is not JSON: {error}")),
    }
}

/// Prints a response that serde_json has written in the app's own way; others are left as they are.
///
/// # Errors
/// When the provider's type cannot be a header's value, which was found at the set-up.
pub(crate) fn reprint(response: &mut Response, provider: &JsonProvider) -> Result<(), Error> {
    if let Some(text) = response.plain_json().and_then(|json| provider.reprint(json)) {
        response.put_json(text, provider.content_type()?);
    }
    Ok(())
}

macro_rules! maps {
    ($($(#[$doc:meta])* impl<$($name:ident: $bound:path),*> $map:ty;)*) => { $(
        $(#[$doc])*
        impl<$($name: $bound),*> IntoResponse for $map {
            fn into_response(self) -> Result<Response> {
                Json(self).into_response()
            }
        }
    )* };
}
maps! {
    /// As JSON: Flask's views return dicts and lists so. Text and numbers are JSON, too, which they are not in Flask.
    impl<> serde_json::Value;
    /// As JSON, as Flask's views return a dict.
    impl<> serde_json::Map<String, serde_json::Value>;
    /// As JSON, as Flask's views return a dict.
    impl<K: Serialize, V: Serialize> BTreeMap<K, V>;
    /// As JSON, as Flask's views return a dict.
    impl<K: Serialize, V: Serialize, S: BuildHasher> HashMap<K, V, S>;
}
