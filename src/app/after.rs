//! What follows the view, once there is a response: steps 6 and 7 of a request's life.

use std::sync::Arc;

use super::frozen::Frozen;
use super::guarded::{guarded, told};
use super::handler::After;
use crate::ctx::Ctx;
use crate::error::{HttpError, Result};
use crate::response::Response;
use crate::signals;

/// Steps 6 and 7.
pub(super) fn process(app: &Frozen, ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    run_after(app, ctx, response)?;
    conclude(ctx, response)
}

/// The same on a 500 that stands for an error. Of a hook that fails, the response stays as it was given to it.
#[cold]
pub(super) fn process_again(app: &Frozen, ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    let mut kept = response.twin();
    let done = run_after_keeping(app, ctx, response, &mut kept);
    if done.is_err() {
        // What streams went with the hook.
        *response = kept.unwrap_or_else(|| app.page(HttpError::new(500)));
        return done;
    }
    conclude(ctx, response)
}

/// Step 7.
fn conclude(ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    #[cfg(feature = "sessions")]
    guarded(|| crate::session::save(ctx, response))?;
    told(ctx, || signals::REQUEST_FINISHED.send(ctx, response));
    Ok(())
}

/// Step 6.
fn run_after(app: &Frozen, ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    let json = app.site.json();
    json.map_or(Ok(()), |provider| crate::json::reprint(response, provider))?;
    let mut once = ctx.take_after_this_request().into_iter();
    while let Some(hook) = once.next() {
        let before = std::mem::take(response);
        // What has not run is for the 500, then.
        *response = guarded(|| Ok(hook(before))).inspect_err(|_| ctx.put_back_after_this_request(once.by_ref()))?;
    }
    for hook in after_hooks(app, ctx) {
        let before = std::mem::take(response);
        *response = guarded(|| hook(before))?;
    }
    // A hook may have made an answer of its own.
    json.map_or(Ok(()), |provider| crate::json::reprint(response, provider))
}

/// The same, with what each hook was given kept, where it can be. Of `after_this_request` there is only what has not run.
fn run_after_keeping(app: &Frozen, ctx: &Arc<Ctx>, response: &mut Response, kept: &mut Option<Response>) -> Result<()> {
    let json = app.site.json();
    let reprint = |response: &mut Response| json.map_or(Ok(()), |provider| crate::json::reprint(response, provider));
    reprint(response)?;
    for hook in ctx.take_after_this_request() {
        *kept = response.twin();
        let before = std::mem::take(response);
        *response = guarded(|| Ok(hook(before)))?;
    }
    for hook in after_hooks(app, ctx) {
        *kept = response.twin();
        let before = std::mem::take(response);
        *response = guarded(|| hook(before))?;
    }
    *kept = response.twin();
    reprint(response)
}

/// The innermost blueprint's first, and of each scope the last registered.
fn after_hooks<'a>(app: &'a Frozen, ctx: &Ctx) -> impl Iterator<Item = &'a After> {
    app.scopes_inner_first(ctx).flat_map(|scope| scope.after.iter().rev())
}
