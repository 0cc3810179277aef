//! The life of a request, top to bottom. Read me first.
//!
//! [`answer`] makes the context and packs it as the bridge's luggage, so that `request()` and its kin find it in the
//! handler, in async fragments and in their tasks. [`begin`] matches the rule and runs hooks and the view; [`finish`]
//! turns what came of it into the response. They are two so that, later, a view's result may come from elsewhere.
//!
//! 1. the context is made, with the configuration's limits on the body
//! 2. the path is decoded and matched against the rules; what is wrong with it is kept for step 4
//! 3. before-request hooks: the app's, then the outer blueprint's, then the inner one's; a response ends this part
//! 4. the routing error or redirect of step 2, or the automatic answer to OPTIONS, or the view
//! 5. error handlers, for whatever of the above failed; what none of them takes is logged and becomes a 500. A response
//!    that was given to `abort` passes them by
//! 6. `after_this_request` functions, in order; then after-request hooks: the inner blueprint's, the outer one's, the
//!    app's, each in reverse order; an error in them becomes a 500 too, which they see once. On a 500 that stands for
//!    an error already, theirs is only logged
//! 7. the session is saved: its cookie is set, if it must be
//! 8. teardown hooks, in the same order; all of them run
//! 9. the context is unpacked, and the engine gets the response, whose body it then reads
//!
//! Every call of user code is guarded against panics, each of which becomes an [`Error`] like any other.

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method};

use super::frozen::{Frozen, Scope};
use crate::bridge::luggage;
use crate::ctx::{Ctx, KeepContext, Matched};
use crate::error::{Error, HttpError, Result, allow_value};
use crate::form::FormLimits;
use crate::quiet::{discard_panic, quietly};
use crate::request::Request;
use crate::response::{Response, escape_html};
use crate::routing::{Found, encode_path};

/// Answers a request.
pub(super) fn answer(app: &Frozen, request: Request) -> Response {
    let keep = request.extensions().get::<KeepContext>().is_some();
    let ctx = Arc::new(context(app, request));
    let packed = luggage::pack(Some(ctx.clone()));
    // Guarded as a whole too, for the users' code that is not called but happens: how errors show themselves, the
    // destructors of what hooks leave behind.
    // A response is large to move, so it is written where it stays.
    let mut response = Response::default();
    let answered = catch_unwind(AssertUnwindSafe(|| finish(app, &ctx, begin_guarded(app, &ctx), &mut response)));
    if let Err(payload) = answered {
        ctx.set_unhandled(Arc::new(Panicked::from(payload).into()));
        response = HttpError::new(500).into_response();
    }
    teardown(app, &ctx);
    drop(packed);
    if keep {
        response.extensions_mut().insert(KeepContext(Some(ctx)));
    } else if quietly(|| drop(ctx)).is_none() {
        // A value in `g`; the response is whole all the same.
        quietly(|| log::error!("the context of a request panicked when it was dropped"));
    }
    response
}

/// Step 1.
pub(super) fn context(app: &Frozen, request: Request) -> Ctx {
    let settings = app.site.settings();
    if let Some(limit) = settings.max_content_length {
        request.limit_body(limit);
    }
    let limits = FormLimits { memory: settings.max_form_memory_size, parts: settings.max_form_parts };
    if limits != FormLimits::default() {
        request.limit_form(limits);
    }
    Ctx::new(app.site.clone(), request)
}

/// Steps 2 to 4; a panic in them is an error like any other.
fn begin_guarded(app: &Frozen, ctx: &Arc<Ctx>) -> Result<Response> {
    // Only the panic hook knows the panic's own line; which view it was is known here.
    let view = Cell::new(None);
    catch_unwind(AssertUnwindSafe(|| begin(app, ctx, &view))).unwrap_or_else(|payload| {
        let panicked = Panicked::from(payload);
        Err(match view.get() {
            Some(rule) => Error::located(panicked, app.site.rule(rule).at),
            None => panicked.into(),
        })
    })
}

fn begin(app: &Frozen, ctx: &Arc<Ctx>, view: &Cell<Option<usize>>) -> Result<Response> {
    let route = find_rule(app, ctx);
    for scope in scopes_outer_first(app, ctx) {
        for hook in &scope.before {
            if let Some(response) = hook(ctx)? {
                return Ok(response);
            }
        }
    }
    match route? {
        Route::View(rule) => {
            view.set(Some(rule));
            (app.views[rule])(ctx)
        }
        Route::Elsewhere(response) => Ok(response),
    }
}

/// What a path leads to.
enum Route {
    View(usize),
    /// A redirect to the rule's own form of the path, or the automatic answer to OPTIONS.
    Elsewhere(Response),
}

/// Step 2. A rule that matches is kept in the context, for hooks and arguments.
fn find_rule(app: &Frozen, ctx: &Ctx) -> Result<Route> {
    let request = ctx.request();
    let path = request.decoded_path()?;
    match app.site.router.find(request.method(), &path) {
        Found::Match { rule, args } => {
            let automatic = request.method() == Method::OPTIONS && app.automatic_options[rule.index()];
            let answer = automatic.then(|| options(allow_value(&app.site.router.allowed(&path))));
            let path = match path {
                Cow::Borrowed(_) => None,
                Cow::Owned(path) => Some(path),
            };
            ctx.set_matched(Matched { rule, args, path });
            Ok(answer.map_or(Route::View(rule.index()), Route::Elsewhere))
        }
        Found::Redirect { path } => {
            let mut location = app.site.settings().application_root.trim_end_matches('/').to_owned();
            location.push_str(&encode_path(&path));
            if let Some(query) = request.uri().query() {
                location.push('?');
                location.push_str(query);
            }
            Ok(Route::Elsewhere(Response::redirect(&location, 308)))
        }
        Found::MethodNotAllowed { allow } => Err(HttpError::method_not_allowed(&allow).into()),
        Found::NotFound => Err(HttpError::new(404).into()),
    }
}

fn options(allow: HeaderValue) -> Response {
    let mut response = Response::html(());
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// Steps 5 to 7: whatever came of the view, there is a response.
fn finish(app: &Frozen, ctx: &Arc<Ctx>, result: Result<Response>, response: &mut Response) {
    let answer = match result {
        Ok(_) => result,
        Err(error) => handle(app, ctx, error),
    };
    let after = answer.map(|answer| *response = answer).and_then(|()| run_after(app, ctx, response));
    if let Err(error) = after {
        *response = internal(app, ctx, error);
        // The hooks see the 500 once; if they fail on it, a bare one goes out.
        if let Err(error) = run_after(app, ctx, response) {
            log::error!("after-request hooks failed on the response to an error: {error:#}");
            *response = HttpError::new(500).into_response();
        }
    }
    #[cfg(feature = "sessions")]
    if let Err(error) = guarded(|| crate::session::save(ctx, response)) {
        *response = internal(app, ctx, error);
    }
}

/// Step 5: the error handlers, by status first, then by type, the innermost scope's first each time.
///
/// `Err` is what nothing took, or what a handler failed with.
fn handle(app: &Frozen, ctx: &Arc<Ctx>, error: Error) -> Result<Response> {
    let error = match error.downcast::<HttpError>() {
        Ok(error) => {
            if let Some(response) = error.take_given() {
                return Ok(response);
            }
            let status = error.status().as_u16();
            for scope in scopes_inner_first(app, ctx) {
                if let Some((_, handler)) = scope.by_status.iter().find(|(code, _)| *code == status) {
                    return rendered(guarded(|| handler(error)));
                }
            }
            error.into()
        }
        Err(error) => error,
    };
    match handle_by_type(app, ctx, error) {
        Ok(answer) => rendered(answer),
        Err(error) => rendered(Err(error)),
    }
}

/// An HTTP error that no handler is left for is answered with its page: one that an error handler gave back or made,
/// too, which thereby passes on what it does not want.
fn rendered(answer: Result<Response>) -> Result<Response> {
    answer.or_else(|error| error.downcast::<HttpError>().map(HttpError::into_response))
}

/// The outer `Err` gives back an error that no handler is for.
fn handle_by_type(app: &Frozen, ctx: &Arc<Ctx>, mut error: Error) -> Result<Result<Response>, Error> {
    for scope in scopes_inner_first(app, ctx) {
        for handler in &scope.by_type {
            let tried = catch_unwind(AssertUnwindSafe(|| (handler.run)(error)));
            match tried.unwrap_or_else(|payload| Ok(Err(Panicked::from(payload).into()))) {
                Ok(response) => return Ok(response),
                Err(back) => error = back,
            }
        }
    }
    Err(error)
}

/// An error that nothing handled: logged, kept for the teardown hooks, answered by the handler for 500 if there is one.
fn internal(app: &Frozen, ctx: &Arc<Ctx>, error: Error) -> Response {
    let request = ctx.request();
    log::error!("Exception on {} [{}]: {error:#}", request.path(), request.method());
    let error = Arc::new(error);
    ctx.set_unhandled(error.clone());
    let stand_in = HttpError::internal(error.clone());
    let status = stand_in.status().as_u16();
    let mut by_status = scopes_inner_first(app, ctx).flat_map(|scope| &scope.by_status);
    let handled = match by_status.find(|(code, _)| *code == status) {
        Some((_, handler)) => guarded(|| handler(stand_in)),
        None => match handle_by_type(app, ctx, stand_in.into()) {
            Ok(response) => response,
            Err(_) if app.site.debug() => return debug_page(&error),
            Err(_) => return HttpError::new(500).into_response(),
        },
    };
    rendered(handled).unwrap_or_else(|failed| {
        log::error!("the error handler for 500 failed: {failed:#}");
        if app.site.debug() { debug_page(&failed) } else { HttpError::new(500).into_response() }
    })
}

/// With `DEBUG` the error is shown to whoever asks, so that setting is for development only.
fn debug_page(error: &Error) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>500 {title}</title>\n<h1>{title}</h1>\n<pre>{details}</pre>\n\
         <p>This page is shown because the app's DEBUG is set.</p>\n",
        title = escape_html(&error.to_string()),
        details = escape_html(&format!("{error:#}")),
    );
    Response::html(page).with_status(500)
}

/// Step 6.
fn run_after(app: &Frozen, ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    for hook in ctx.take_after_this_request() {
        let before = std::mem::take(response);
        *response = guarded(|| Ok(hook(before)))?;
    }
    for scope in scopes_inner_first(app, ctx) {
        for hook in scope.after.iter().rev() {
            let before = std::mem::take(response);
            *response = guarded(|| hook(before))?;
        }
    }
    Ok(())
}

/// Step 8.
fn teardown(app: &Frozen, ctx: &Arc<Ctx>) {
    let error = ctx.unhandled_error().map(|error| &**error);
    for scope in scopes_inner_first(app, ctx) {
        for hook in scope.teardown.iter().rev() {
            if let Err(failed) = guarded(|| hook(error)) {
                quietly(|| log::error!("a teardown hook failed: {failed:#}"));
                quietly(|| drop(failed));
            }
        }
    }
}

/// The app, then the blueprints of the rule that matched, from the outermost in.
fn scopes_outer_first<'a>(app: &'a Frozen, ctx: &Ctx) -> impl DoubleEndedIterator<Item = &'a Scope> {
    let chain: &[usize] = ctx.matched().map_or(&[], |matched| &app.chains[matched.rule.index()]);
    std::iter::once(&app.scopes[0]).chain(chain.iter().map(|scope| &app.scopes[*scope]))
}

fn scopes_inner_first<'a>(app: &'a Frozen, ctx: &Ctx) -> impl Iterator<Item = &'a Scope> {
    scopes_outer_first(app, ctx).rev()
}

/// Runs user code; a panic in it becomes an error.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| Err(Panicked::from(payload).into()))
}

/// A handler, a hook or an error handler panicked. Answered with 500; an error handler for this type may do otherwise.
#[derive(Debug)]
pub struct Panicked(String);

impl From<Box<dyn Any + Send>> for Panicked {
    fn from(payload: Box<dyn Any + Send>) -> Panicked {
        let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(|s| &**s));
        let panicked = Panicked(text.unwrap_or("with a payload that is no text").to_owned());
        discard_panic(payload);
        panicked
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}
