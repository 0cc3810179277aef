//! The end of a request, for its session.

use std::mem;
use std::sync::Arc;

use http::header::COOKIE;

use super::cookie::vary_by_cookie;
use super::interface::Interface;
use super::{Opened, settings};
use crate::ctx::Ctx;
use crate::error::Result;
use crate::response::Response;

/// Has the session kept, if it must be; and says so when the response depends on it.
///
/// # Errors
/// When the interface could not keep it.
pub(crate) fn save(ctx: &Arc<Ctx>, response: &mut Response) -> Result<()> {
    // A permanent session lasts from the last request on, even from one that did not ask for it. Where there is no
    // cookie there is none to prolong, and nothing to do.
    if ctx.session_slot().get().is_none() {
        let settings = settings(ctx);
        let may_be_there = settings.refresh_each_request && ctx.request().headers().contains_key(COOKIE);
        if !(may_be_there && ctx.request().cookie(&settings.cookie_name).is_some()) {
            return Ok(());
        }
    }
    let opened = Opened::of(ctx);
    if opened.null.is_some() {
        return Ok(());
    }
    let Some(interface) = ctx.site().parts().get::<Interface>() else { return Ok(()) };
    // Not under the lock: who keeps sessions may do as they like, and take their time.
    let state = mem::take(&mut opened.lock().state);
    if state.accessed {
        vary_by_cookie(response);
    }
    let saved = interface.0.save_session(ctx.site(), &state, response);
    opened.lock().state = state;
    saved
}
