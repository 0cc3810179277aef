//! The end of a request, for its session.

use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use http::header::VARY;

use super::{Opened, SessionSerializer, settings};
use crate::cookie::Cookie;
use crate::ctx::Ctx;
use crate::response::Response;

/// Sets the cookie, or has it forgotten, if it must be; and says so when the response depends on it.
pub(crate) fn save(ctx: &Arc<Ctx>, response: &mut Response) {
    let settings = settings(ctx);
    let untouched = ctx.session_slot().get().is_none();
    // A permanent session lasts from the last request on, even from one that did not ask for it. Where there is no
    // cookie there is none to prolong, and nothing to do.
    if untouched && !(settings.refresh_each_request && ctx.request().cookie(&settings.cookie_name).is_some()) {
        return;
    }
    let Some(serializer) = ctx.site().parts().get::<SessionSerializer>() else { return };
    let inner = Opened::of(ctx).lock();

    let set = if inner.data.is_empty() {
        inner.modified.then(|| Cookie::removal(&settings.cookie_name))
    } else if inner.modified || (inner.permanent() && settings.refresh_each_request) {
        let now = SystemTime::now();
        let cookie = Cookie::new(&settings.cookie_name, serializer.dumps(&inner.data, now));
        Some(match now.checked_add(settings.lifetime).filter(|_| inner.permanent()) {
            Some(end) => cookie.expires(end),
            None => cookie,
        })
    } else {
        None
    };
    if inner.accessed || set.is_some() {
        vary_by_cookie(response);
    }
    drop(inner);
    let Some(mut cookie) = set else { return };

    cookie = cookie.path(&settings.path).http_only(settings.http_only).secure(settings.secure);
    if let Some(domain) = &settings.domain {
        cookie = cookie.domain(domain);
    }
    if let Some(same_site) = settings.same_site {
        cookie = cookie.same_site(same_site);
    }
    cookie = cookie.partitioned(settings.partitioned);
    let size = cookie.to_header().len();
    if settings.max_cookie_size != 0 && size > settings.max_cookie_size {
        log::warn!(
            "the cookie `{}` is too large: its value has {} bytes, the whole header {size}, and the limit is {}. \
             Browsers may ignore it without a word: keep less in the session",
            settings.cookie_name,
            cookie.value().len(),
            settings.max_cookie_size,
        );
    }
    response.set_cookie(cookie);
}

/// Adds to what the response says it depends on.
fn vary_by_cookie(response: &mut Response) {
    let headers = response.headers_mut();
    let known: Vec<&[u8]> = headers.get_all(VARY).iter().map(HeaderValue::as_bytes).collect();
    let mut names = known.iter().flat_map(|value| value.split(|byte| *byte == b','));
    if names.any(|name| matches!(name.trim_ascii(), b"*") || name.trim_ascii().eq_ignore_ascii_case(b"cookie")) {
        return;
    }
    let mut all = known.join(&b", "[..]);
    if !all.is_empty() {
        all.extend_from_slice(b", ");
    }
    all.extend_from_slice(b"Cookie");
    if let Ok(value) = HeaderValue::from_bytes(&all) {
        headers.insert(VARY, value);
    }
}
