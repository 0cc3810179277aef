//! Handler arguments: view arguments by position, and extractors.

mod data;
mod form;
mod path;
mod view_arg;

use std::any::{TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

pub use data::{Form, Query};
pub use path::Path;

use crate::body::Body;
use crate::ctx::Ctx;
use crate::error::{Error, HttpError, Result};
use crate::json::Json;
use crate::multidict::MultiDict;
use crate::request::Request;
use crate::routing::Kind;

/// What a handler's arguments ask for: checked against the rule and the app when the app is frozen.
#[derive(Debug, Default)]
pub struct Shape {
    pub(crate) positional: Vec<Need>,
    /// An argument that takes all view arguments together, such as [`Path`].
    pub(crate) takes_all: Option<&'static str>,
    pub(crate) bodies: Vec<&'static str>,
    pub(crate) states: Vec<(TypeId, &'static str)>,
}

/// A view argument by position.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) type_name: &'static str,
    pub(crate) fits: fn(Kind) -> bool,
}

impl Shape {
    /// The argument takes the request's body; at most one of a handler's may.
    pub fn takes_body<T>(&mut self) {
        self.bodies.push(type_name::<T>());
    }

    /// Adds what other arguments, behind these, ask for.
    pub(crate) fn add(&mut self, other: Shape) {
        self.positional.extend(other.positional);
        self.takes_all = self.takes_all.or(other.takes_all);
        self.bodies.extend(other.bodies);
        self.states.extend(other.states);
    }

    /// The argument needs the app to have a state of type `T`.
    pub fn needs_state<T: 'static>(&mut self) {
        self.states.push((TypeId::of::<T>(), type_name::<T>()));
    }
}

/// A call of a handler while its arguments are taken.
#[derive(Debug)]
pub struct Call<'c> {
    ctx: &'c Arc<Ctx>,
    next: usize,
}

impl<'c> Call<'c> {
    pub(crate) fn new(ctx: &'c Arc<Ctx>) -> Call<'c> {
        Call { ctx, next: 0 }
    }

    /// The context of the request.
    pub fn ctx(&self) -> &'c Arc<Ctx> {
        self.ctx
    }
}

/// An argument of a handler: a view argument, or whatever is [`FromRequest`]. Not to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "neither a view argument nor an extractor",
    note = "view arguments are owned: String, integers, f64, Uuid, PathBuf (not &str); extractors are Path, Query, Form, Json, State, Cookies, HeaderMap, Bytes, Body, Request, …",
    note = "implement `dewar::FromRequest` for a type of your own"
)]
pub trait Arg: Sized {
    /// Says what it needs.
    fn describe(shape: &mut Shape);

    /// Takes it from the call.
    ///
    /// # Errors
    /// What the client is answered instead of the handler's answer.
    fn take(call: &mut Call<'_>) -> Result<Self>;
}

/// A type that can be made of a request: an extractor. What a decorator such as `login_required` does in Flask, it does
/// for the views that take it: its error, or a redirect, is answered in place of theirs.
///
/// ```
/// use dewar::{App, Ctx, FromRequest, Result, abort, redirect};
/// use std::sync::Arc;
///
/// struct CurrentUser { name: String }
///
/// impl FromRequest for CurrentUser {
///     fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
///         let Some(name) = ctx.request().header("x-user") else { abort!(redirect("/login")) };
///         Ok(CurrentUser { name: name.to_owned() })
///     }
/// }
///
/// let mut app = App::new("demo");
/// app.get("/me", |user: CurrentUser| user.name).endpoint("me");
/// let client = app.test_client();
/// assert_eq!(client.get("/me").header("location"), Some("/login"));
/// assert_eq!(client.request("GET", "/me").header("x-user", "ada").send().text(), "ada");
/// ```
pub trait FromRequest: Sized {
    /// Says what it needs beyond the head of a request, so that mistakes are found when the app is frozen.
    fn describe(_shape: &mut Shape) {}

    /// Makes it.
    ///
    /// # Errors
    /// What the client is answered instead of the handler's answer.
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self>;
}

impl<T: FromRequest> Arg for T {
    fn describe(shape: &mut Shape) {
        T::describe(shape);
    }

    fn take(call: &mut Call<'_>) -> Result<Self> {
        T::from_request(call.ctx)
    }
}

/// `None` where the argument could not be taken, whatever the reason.
impl<T: Arg> Arg for Option<T> {
    fn describe(shape: &mut Shape) {
        T::describe(shape);
    }

    fn take(call: &mut Call<'_>) -> Result<Self> {
        Ok(T::take(call).ok())
    }
}

/// The handler decides what to do when the argument could not be taken.
impl<T: Arg> Arg for Result<T, Error> {
    fn describe(shape: &mut Shape) {
        T::describe(shape);
    }

    fn take(call: &mut Call<'_>) -> Result<Self> {
        Ok(T::take(call))
    }
}

/// A value that all requests share, given by [`App::state`](crate::App::state); an `Arc` underneath.
///
/// A handler that asks for a type that the app was not given is a mistake that is reported when the app is frozen.
///
/// ```
/// use dewar::{App, State};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Visits(AtomicU64);
///
/// fn count(visits: State<Visits>) -> String {
///     (visits.0.fetch_add(1, Relaxed) + 1).to_string()
/// }
///
/// let mut app = App::new("demo");
/// app.state(Visits::default());
/// app.get("/", count);
/// let client = app.test_client();
/// client.get("/");
/// assert_eq!(client.get("/").text(), "2");
/// ```
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// The `Arc` underneath.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        State(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send + Sync + 'static> FromRequest for State<T> {
    fn describe(shape: &mut Shape) {
        shape.needs_state::<T>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        let missing = || Error::msg(format!("the app has no state of type {}", type_name::<T>()));
        ctx.state().map(State).ok_or_else(missing)
    }
}

impl<T: serde::de::DeserializeOwned> FromRequest for Json<T> {
    fn describe(shape: &mut Shape) {
        shape.takes_body::<Self>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(Json(ctx.request().json()?))
    }
}

/// The request's cookies: a [`MultiDict`].
#[derive(Debug, Clone, Default)]
pub struct Cookies(pub MultiDict);

impl Deref for Cookies {
    type Target = MultiDict;

    fn deref(&self) -> &MultiDict {
        &self.0
    }
}

macro_rules! from_head {
    ($($t:ty: |$request:ident| $make:expr;)*) => { $(
        impl FromRequest for $t {
            fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
                let $request = ctx.request();
                Ok($make)
            }
        }
    )* };
}
from_head! {
    Cookies: |request| Cookies(request.cookies());
    HeaderMap: |request| request.headers().clone();
    Method: |request| request.method().clone();
    Uri: |request| request.uri().clone();
}

/// The request itself. It does not take the body: its methods share what was read.
impl FromRequest for Request {
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(ctx.request().clone())
    }
}

/// The context itself.
impl FromRequest for Arc<Ctx> {
    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(ctx.clone())
    }
}

/// The whole body.
impl FromRequest for Bytes {
    fn describe(shape: &mut Shape) {
        shape.takes_body::<Self>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(ctx.request().get_data()?)
    }
}

/// The whole body.
impl FromRequest for Vec<u8> {
    fn describe(shape: &mut Shape) {
        shape.takes_body::<Self>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(ctx.request().get_data()?.into())
    }
}

/// The body as a stream.
impl FromRequest for Body {
    fn describe(shape: &mut Shape) {
        shape.takes_body::<Self>();
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        Ok(ctx.request().take_body())
    }
}

/// 415 for a body that is not of the type an extractor reads.
fn wrong_type(request: &Request, wanted: &str) -> HttpError {
    let got = match request.content_type() {
        Some(got) => format!("'{got}'"),
        None => "missing".to_owned(),
    };
    HttpError::new(415).with_description(format!("The Content-Type is {got}, but this takes {wanted}."))
}
