//! What can answer a request: functions of view arguments and extractors, sync and async.

use std::sync::Arc;

use crate::bridge;
use crate::ctx::Ctx;
use crate::error::{Error, HttpError, Result};
use crate::extract::{Arg, Call, Shape};
use crate::respond::IntoResponse;
use crate::response::Response;

/// A function that answers requests.
///
/// It has up to eight owned arguments: none or all of the rule's view arguments, in order, mixed freely with
/// extractors, of which at most one takes the body. It returns what is [`IntoResponse`]. It may be `async`: then the
/// bridge runs it.
///
/// Every `Fn(…) -> R` and `AsyncFn(…) -> R` of such arguments is one; the parameter `M` only keeps them apart.
#[diagnostic::on_unimplemented(
    message = "this is not a handler: `{Self}`",
    label = "not a handler",
    note = "a handler is a fn or closure of 0 to 8 owned arguments, each a view argument (String, i64, f64, Uuid, PathBuf, …) or an extractor, and returns something that is `IntoResponse`: text, `Json<T>`, `(body, status)`, `Response`, or `dewar::Result` of these; it may be async",
    note = "to see which part does not fit, write `dewar::check_handler!(your_fn);` below the function"
)]
pub trait Handler<M>: Send + Sync + 'static {
    /// What its arguments ask for.
    fn shape() -> Shape;

    /// Takes its arguments and runs it.
    ///
    /// # Errors
    /// An argument's, its own, or that of making the response.
    fn call(&self, ctx: &Arc<Ctx>) -> Result<Response>;
}

/// A hook before the view. It takes extractors, and returns `()`, `Option<response>`, or a `Result` of these; a
/// response ends the request.
#[diagnostic::on_unimplemented(
    message = "this is not a before-request hook: `{Self}`",
    label = "not a before-request hook",
    note = "a hook is a fn or closure of 0 to 8 extractors and returns `()`, `Option<impl IntoResponse>`, or `dewar::Result` of these; it may be async"
)]
pub trait BeforeHook<M>: Send + Sync + 'static {
    /// What its arguments ask for.
    fn shape() -> Shape;

    /// Takes its arguments and runs it.
    ///
    /// # Errors
    /// An argument's or its own: the request ends with it.
    fn call(&self, ctx: &Arc<Ctx>) -> Result<Option<Response>>;
}

/// What a hook before the view may return.
#[diagnostic::on_unimplemented(
    message = "a before-request hook cannot return `{Self}`",
    note = "return `()`, `Option<impl IntoResponse>`, or `dewar::Result` of these"
)]
pub trait HookAnswer {
    /// The response that ends the request, if there is one.
    ///
    /// # Errors
    /// The hook's own.
    fn into_answer(self) -> Result<Option<Response>>;
}

impl HookAnswer for () {
    fn into_answer(self) -> Result<Option<Response>> {
        Ok(None)
    }
}

impl<T: IntoResponse> HookAnswer for Option<T> {
    fn into_answer(self) -> Result<Option<Response>> {
        self.map(IntoResponse::into_response).transpose()
    }
}

impl<T: HookAnswer, E: Into<Error>> HookAnswer for Result<T, E> {
    fn into_answer(self) -> Result<Option<Response>> {
        self.map_err(Into::into)?.into_answer()
    }
}

/// Marks sync functions in the `M` of [`Handler`] and its kin.
#[derive(Debug)]
pub struct Blocking;

/// Marks async functions in the `M` of [`Handler`] and its kin.
#[derive(Debug)]
pub struct Bridged;

fn at_once<T>(answer: T) -> Result<T> {
    Ok(answer)
}

fn bridged<F: Future>(answer: F) -> Result<F::Output> {
    Ok(bridge::block_on(answer)?)
}

macro_rules! callables {
    ($($a:ident)*) => {
        callables!(@ Handler, IntoResponse, into_response, Response, Blocking, Fn, at_once, $($a)*);
        callables!(@ Handler, IntoResponse, into_response, Response, Bridged, AsyncFn, bridged, $($a)*);
        callables!(@ BeforeHook, HookAnswer, into_answer, Option<Response>, Blocking, Fn, at_once, $($a)*);
        callables!(@ BeforeHook, HookAnswer, into_answer, Option<Response>, Bridged, AsyncFn, bridged, $($a)*);
    };
    (
        @ $trait:ident, $answer:ident, $finish:ident, $out:ty, $marker:ident, $function:ident, $run:ident, $($a:ident)*
    ) => {
        impl<F, R, $($a,)*> $trait<($marker, $($a,)*)> for F
        where
            F: $function($($a),*) -> R + Send + Sync + 'static,
            R: $answer,
            $($a: Arg,)*
        {
            fn shape() -> Shape {
                #[allow(unused_mut, reason = "there may be no arguments")]
                let mut shape = Shape::default();
                $($a::describe(&mut shape);)*
                shape
            }

            #[allow(non_snake_case, unused, reason = "arguments are named as their types; there may be none")]
            fn call(&self, ctx: &Arc<Ctx>) -> Result<$out> {
                let mut call = Call::new(ctx);
                $(let $a = $a::take(&mut call)?;)*
                $run(self($($a),*))?.$finish()
            }
        }
    };
}

callables!();
callables!(A);
callables!(A B);
callables!(A B C);
callables!(A B C D);
callables!(A B C D E);
callables!(A B C D E G);
callables!(A B C D E G H);
callables!(A B C D E G H I);

/// A hook after the view: `Fn(Response) -> Response`, or of a `Result`; it may be async.
#[diagnostic::on_unimplemented(
    message = "this is not an after-request hook: `{Self}`",
    note = "an after-request hook takes the `Response` and returns it, or a `dewar::Result` of it; it may be async. Annotate a closure's argument: `|response: Response| …`"
)]
pub trait AfterHook<M>: Send + Sync + 'static {
    /// Runs it.
    ///
    /// # Errors
    /// Its own.
    fn call(&self, response: Response) -> Result<Response>;
}

impl<F, R> AfterHook<(Blocking, R)> for F
where
    F: Fn(Response) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn call(&self, response: Response) -> Result<Response> {
        self(response).into_response()
    }
}

impl<F, R> AfterHook<(Bridged, R)> for F
where
    F: AsyncFn(Response) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn call(&self, response: Response) -> Result<Response> {
        bridge::block_on(self(response))?.into_response()
    }
}

/// A hook at the end of every request: `Fn(Option<&Error>)`, given the error that nothing handled; it may be async.
#[diagnostic::on_unimplemented(
    message = "this is not a teardown hook: `{Self}`",
    note = "a teardown hook takes `Option<&dewar::Error>` and returns nothing; it may be async. Annotate a closure's argument: `|error: Option<&Error>| …`"
)]
pub trait TeardownHook<M>: Send + Sync + 'static {
    /// Runs it.
    ///
    /// # Errors
    /// When an async one cannot be bridged.
    fn call(&self, error: Option<&Error>) -> Result<()>;
}

impl<F> TeardownHook<Blocking> for F
where
    F: Fn(Option<&Error>) + Send + Sync + 'static,
{
    fn call(&self, error: Option<&Error>) -> Result<()> {
        self(error);
        Ok(())
    }
}

impl<F> TeardownHook<Bridged> for F
where
    F: AsyncFn(Option<&Error>) + Send + Sync + 'static,
{
    fn call(&self, error: Option<&Error>) -> Result<()> {
        Ok(bridge::block_on(self(error))?)
    }
}

/// What an error handler can be registered for by type: every `std::error::Error`, and [`Error`] itself for all of
/// them.
pub trait Caught: Sized + 'static {
    /// The error as this type.
    ///
    /// # Errors
    /// The error itself, when it is of another type.
    fn catch(error: Error) -> Result<Self, Error>;
}

impl<E: std::error::Error + Send + Sync + 'static> Caught for E {
    fn catch(error: Error) -> Result<E, Error> {
        error.downcast()
    }
}

impl Caught for Error {
    fn catch(error: Error) -> Result<Error, Error> {
        Ok(error)
    }
}

/// An error handler: `Fn(E) -> R` of an error by value, where `R` is [`IntoResponse`]; it may be async.
#[diagnostic::on_unimplemented(
    message = "this is not an error handler for `{E}`: `{Self}`",
    note = "an error handler takes the error by value (`HttpError` for a status) and returns something that is `IntoResponse`; it may be async"
)]
pub trait ErrorHandler<E, M>: Send + Sync + 'static {
    /// Runs it.
    ///
    /// # Errors
    /// Its own, which is answered with 500.
    fn call(&self, error: E) -> Result<Response>;
}

impl<F, E, R> ErrorHandler<E, (Blocking, R)> for F
where
    F: Fn(E) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn call(&self, error: E) -> Result<Response> {
        self(error).into_response()
    }
}

impl<F, E, R> ErrorHandler<E, (Bridged, R)> for F
where
    F: AsyncFn(E) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn call(&self, error: E) -> Result<Response> {
        bridge::block_on(self(error))?.into_response()
    }
}

/// Shared by the rules of one endpoint.
pub(crate) type View = Arc<dyn Fn(&Arc<Ctx>) -> Result<Response> + Send + Sync>;
pub(crate) type Before = Box<dyn Fn(&Arc<Ctx>) -> Result<Option<Response>> + Send + Sync>;
pub(crate) type After = Box<dyn Fn(Response) -> Result<Response> + Send + Sync>;
pub(crate) type Teardown = Box<dyn Fn(Option<&Error>) -> Result<()> + Send + Sync>;
pub(crate) type ByStatus = Box<dyn Fn(HttpError) -> Result<Response> + Send + Sync>;
/// Gives the error back when it is of another type.
pub(crate) type ByType = Box<dyn Fn(Error) -> Result<Result<Response>, Error> + Send + Sync>;
