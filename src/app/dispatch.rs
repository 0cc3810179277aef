//! The life of a request, top to bottom. Read me first.
//!
//! [`answer`] makes the context and packs it as the bridge's luggage, so that `request()` and its kin find it in the
//! handler, in async fragments and in their tasks. [`begin`] matches the rule and runs hooks and the view; [`finish`]
//! turns what came of it into the response. They are two so that, later, a view's result may come from elsewhere.
//!
//! 1. the context is made, with the configuration's limits on the body (signal `appcontext_pushed`)
//! 2. the path is decoded and matched against the rules; what is wrong with it is kept for step 4 (`request_started`)
//! 3. url-value preprocessors, then before-request hooks: the app's, then the outer blueprint's, then the inner one's; a
//!    response ends this part
//! 4. the routing error or redirect of step 2, or the automatic answer to OPTIONS, or the view
//! 5. error handlers, for whatever of the above failed; what none of them takes is logged and becomes a 500
//!    (`got_request_exception`), or, with `PROPAGATE_EXCEPTIONS`, `TESTING` or `DEBUG`, passes steps 6 and 7 by. A
//!    response that was given to `abort` passes error handlers by
//! 6. `after_this_request` functions, in order; then after-request hooks: the inner blueprint's, the outer one's, the
//!    app's, each in reverse order
//! 7. the session is saved: its cookie is set, if it must be (`request_finished`). An error in steps 6 and 7 becomes a
//!    500 too, and all of them are run for that one. On a 500 that stands for an error already, theirs ends these steps
//!    and is logged, and the response stays
//! 8. teardown hooks, in the same order, then those of the app's context; all of them run, and their errors are
//!    reported together (`request_tearing_down`, `appcontext_tearing_down`)
//! 9. the context is unpacked (`appcontext_popped`), and the engine gets the response, whose body it then reads
//!
//! Every call of user code is guarded against panics, each of which becomes an [`Error`] like any other.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::after::{process, process_again};
use super::debug_page;
use super::frozen::Frozen;
use super::guarded::{Panicked, guarded, told};
use super::handler::Teardown;
use crate::bridge::luggage;
use crate::ctx::{Ctx, KeepContext, Matched};
use crate::error::{Error, HttpError, Result, allow_value};
use crate::quiet::quietly;
use crate::request::{FormLimits, Request};
use crate::response::Response;
use crate::routing::{Found, NamedArgs, Place, encode_path};
use crate::signals;

/// Answers a request.
pub(super) fn answer(app: &Frozen, request: Request) -> Response {
    let keep = request.extensions().get::<KeepContext>().is_some();
    let ctx = Arc::new(context(app, request));
    let packed = luggage::pack(Some(ctx.clone()));
    told(&ctx, || signals::APPCONTEXT_PUSHED.send(&ctx, &()));
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
    told(&ctx, || signals::APPCONTEXT_POPPED.send(&ctx, &()));
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
        request.set_max_content_length(limit);
    }
    let limits = FormLimits { memory: settings.max_form_memory_size, parts: settings.max_form_parts };
    if limits != FormLimits::DEFAULT {
        request.set_form_limits(limits);
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
    if let Err(error) = &route
        && let Some(error) = error.downcast_ref::<HttpError>()
    {
        ctx.set_routing_exception(error.twin());
    }
    signals::REQUEST_STARTED.send(ctx, &());
    for scope in app.scopes_outer_first(ctx) {
        for hook in &scope.preprocessors {
            hook(ctx.endpoint(), &ctx.named_args())?;
        }
    }
    for scope in app.scopes_outer_first(ctx) {
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
    if app.looks_at_hosts {
        if app.site.hosts.matched() {
            return find_rule_at(app, ctx);
        }
        app.site.check_host(request)?;
    }
    let path = request.routed_path()?;
    match app.site.router.find(request.method(), &path) {
        Found::Match { rule, args } => {
            let automatic = request.method() == Method::OPTIONS && app.automatic_options[rule.index()];
            let allowed = automatic.then(|| app.site.router.allowed(&path));
            let path = match path {
                Cow::Borrowed(_) => None,
                Cow::Owned(path) => Some(path),
            };
            matched(app, ctx, Matched { rule, args, path }, allowed)
        }
        other => no_view(app, ctx, other),
    }
}

/// The same where rules are for hosts.
#[inline(never)]
fn find_rule_at(app: &Frozen, ctx: &Ctx) -> Result<Route> {
    let request = ctx.request();
    let domain = app.site.domain(request)?;
    let place = Place::new(domain.as_deref().unwrap_or_default(), &request.routed_path()?);
    match app.site.router.find_at(request.method(), &place) {
        Found::Match { rule, args } => {
            let automatic = request.method() == Method::OPTIONS && app.automatic_options[rule.index()];
            let allowed = automatic.then(|| app.site.router.allowed_at(&place));
            matched(app, ctx, Matched { rule, args, path: Some(place.into_string()) }, allowed)
        }
        other => no_view(app, ctx, other),
    }
}

/// A rule was found; `allowed` is there for an automatic answer to OPTIONS.
fn matched(app: &Frozen, ctx: &Ctx, matched: Matched, allowed: Option<Vec<Method>>) -> Result<Route> {
    let rule = matched.rule;
    if let Some(Some(to)) = app.redirects.get(rule.index()) {
        // The rule is not kept: as for any other redirect, no blueprint's hooks run.
        let request = ctx.request();
        let text = matched.path.as_deref().unwrap_or_else(|| request.path());
        let args = NamedArgs::new(&app.site.rule(rule.index()).args, &matched.args, text);
        let location = to.target(app.site.router.rule(rule), &args, &app.site.root(Some(request)))?;
        return Ok(Route::Elsewhere(Response::redirect(&location, 308)));
    }
    ctx.set_matched(matched);
    Ok(match allowed {
        Some(allowed) => Route::Elsewhere(options(allow_value(&allowed))),
        None => Route::View(rule.index()),
    })
}

/// What comes of a path that is not a view's.
#[cold]
fn no_view(app: &Frozen, ctx: &Ctx, found: Found) -> Result<Route> {
    let request = ctx.request();
    let redirect = |mut location: String| {
        // A question mark with nothing behind it is dropped, as in Flask.
        if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
            location.push('?');
            location.push_str(query);
        }
        Ok(Route::Elsewhere(Response::redirect(&location, 308)))
    };
    match found {
        Found::Redirect { path } => redirect(app.site.root(Some(request)) + &encode_path(&path)),
        Found::Canonical { host, path } => {
            redirect(app.site.located(host.as_deref(), path, None, false, Some(request))?)
        }
        Found::MethodNotAllowed { allow } => Err(HttpError::method_not_allowed(&allow).into()),
        Found::NotFound | Found::Match { .. } => Err(HttpError::new(404).into()),
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
    let ready = answer.map(|answer| *response = answer).and_then(|()| process(app, ctx, response));
    if let Err(error) = ready {
        let error = unhandled(ctx, error);
        if app.propagate {
            // Flask has the server see it, and neither hooks nor the session see a response.
            *response = last_resort(app, ctx, &error);
            return;
        }
        *response = internal(app, ctx, error);
        if let Err(error) = process_again(app, ctx, response) {
            let request = ctx.request();
            let (path, method) = (request.path(), request.method());
            quietly(|| log::error!("what follows the view failed on the 500 of {path} [{method}]: {error:#}"));
        }
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        response.remove_entity_headers();
    }
}

/// Step 5: the error handlers, by status first, then by type, the innermost scope's first each time.
///
/// `Err` is what nothing took, or what a handler failed with.
fn handle(app: &Frozen, ctx: &Arc<Ctx>, error: Error) -> Result<Response> {
    // One that is trapped is shown with the line that it came from.
    let at = error.at();
    let error = match error.downcast::<HttpError>() {
        Ok(error) => {
            if let Some(response) = error.take_given() {
                return Ok(response);
            }
            let error = if app.tell_details { error.in_debug() } else { error };
            let status = error.status().as_u16();
            for scope in app.scopes_inner_first(ctx) {
                if let Some((_, handler)) = scope.by_status.iter().find(|(code, _)| *code == status) {
                    return rendered(app, guarded(|| handler(error)));
                }
            }
            Error::located(error, at)
        }
        Err(error) => error,
    };
    match handle_by_type(app, ctx, error) {
        Ok(answer) => rendered(app, answer),
        Err(error) if error.downcast_ref().is_some_and(|error| app.traps(error)) => Err(error),
        Err(error) => rendered(app, Err(error)),
    }
}

/// An HTTP error that no handler is left for is answered with its page: one that an error handler gave back or made,
/// too, which thereby passes on what it does not want.
fn rendered(app: &Frozen, answer: Result<Response>) -> Result<Response> {
    answer.or_else(|error| error.downcast::<HttpError>().map(|error| app.page(error)))
}

/// The outer `Err` gives back an error that no handler is for.
fn handle_by_type(app: &Frozen, ctx: &Arc<Ctx>, mut error: Error) -> Result<Result<Response>, Error> {
    for scope in app.scopes_inner_first(ctx) {
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

/// An error that nothing handled: logged, told of, kept for the teardown hooks.
fn unhandled(ctx: &Arc<Ctx>, error: Error) -> Arc<Error> {
    let request = ctx.request();
    log::error!("Exception on {} [{}]: {error:#}", request.path(), request.method());
    let error = Arc::new(error);
    ctx.set_unhandled(error.clone());
    told(ctx, || signals::GOT_REQUEST_EXCEPTION.send(ctx, &error));
    error
}

/// Such an error is answered by the handler for 500, if there is one.
fn internal(app: &Frozen, ctx: &Arc<Ctx>, error: Arc<Error>) -> Response {
    let stand_in = HttpError::internal(error);
    let status = stand_in.status().as_u16();
    let mut by_status = app.scopes_inner_first(ctx).flat_map(|scope| &scope.by_status);
    let handled = match by_status.find(|(code, _)| *code == status) {
        Some((_, handler)) => guarded(|| handler(stand_in)),
        None => match handle_by_type(app, ctx, stand_in.into()) {
            Ok(response) => response,
            Err(_) => return app.page(HttpError::new(500)),
        },
    };
    rendered(app, handled).unwrap_or_else(|failed| {
        log::error!("the error handler for 500 failed: {failed:#}");
        last_resort(app, ctx, &failed)
    })
}

/// What is answered when no handler is to answer, or left to: in debug mode the page that shows the error.
fn last_resort(app: &Frozen, ctx: &Ctx, error: &Error) -> Response {
    if app.site.debug() { debug_page::page(ctx, error) } else { app.page(HttpError::new(500)) }
}

/// Step 8.
pub(super) fn teardown(app: &Frozen, ctx: &Arc<Ctx>) {
    let error = ctx.unhandled_error();
    let mut failed = Vec::new();
    if ctx.has_request() {
        for scope in app.scopes_inner_first(ctx) {
            run_teardown(&scope.teardown, error, &mut failed);
        }
        told(ctx, || signals::REQUEST_TEARING_DOWN.send(ctx, &error.cloned()));
    }
    run_teardown(&app.teardown_appcontext, error, &mut failed);
    told(ctx, || signals::APPCONTEXT_TEARING_DOWN.send(ctx, &error.cloned()));
    if failed.is_empty() {
        return;
    }
    let n = failed.len();
    quietly(|| {
        let each: String = failed.iter().map(|error| format!("\n  {error:#}")).collect();
        log::error!("{n} teardown hook{} failed:{each}", if n == 1 { "" } else { "s" });
    });
    for error in failed {
        quietly(|| drop(error));
    }
}

/// All of them run, whatever one of them does.
fn run_teardown(hooks: &[Teardown], error: Option<&Arc<Error>>, failed: &mut Vec<Error>) {
    for hook in hooks.iter().rev() {
        failed.extend(guarded(|| hook(error.map(|error| &**error))).err());
    }
}
