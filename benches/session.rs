//! What a session costs: its cookie read and written, and a request that does both.
//!
//! `cargo bench --bench session --features sessions`
//!
//! Each line is the median of 15 runs of as many calls as take about 10 ms, with the fastest run beside it.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use dewar::{
    App, AppService, MemorySessions, Request, Result, Service, SessionData, SessionSerializer, URLSafeTimedSerializer,
    session,
};

mod timing;

use timing::line;

/// As a shop's visitor may have it: somebody who is logged in, with a cart.
fn visitor() -> SessionData {
    let mut data = SessionData::new();
    let set = data
        .set("_user_id", "42")
        .and_then(|()| data.set("_fresh", true))
        .and_then(|()| data.set("csrf_token", "5f4dcc3b5aa765d61d8327deb882cf99c0ffee00"))
        .and_then(|()| data.set("cart", [(17, 2), (23, 1), (42, 5)]));
    set.expect("all of it can be JSON");
    data
}

fn app(sessions: Option<MemorySessions>) -> Result<AppService> {
    let mut app = App::new("bench");
    app.config_mut().set("SECRET_KEY", "a key of this bench");
    if let Some(sessions) = sessions {
        app.session_interface(sessions);
    }
    app.get("/nothing", || "ok");
    app.get("/read", || session().get::<String>("_user_id").unwrap_or_default());
    app.get("/write", || session().set("seen", 1));
    Ok(app.into_service()?)
}

fn ask(service: &AppService, path: &str, cookie: &str) {
    let request = Request::get(path).with_header("cookie", cookie);
    black_box(service.call(request));
}

fn main() -> Result<()> {
    let serializer = SessionSerializer::new("a key of this bench").with_fallbacks(["an older one"]);
    let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3600));

    println!("-- the cookie alone");
    let mut small = SessionData::new();
    small.set("user_id", 42)?;
    let mut large = visitor();
    large.set("history", (0..300).collect::<Vec<u32>>())?;
    for (name, data) in [("one value", small), ("a visitor", visitor()), ("one of 1.3 KB", large)] {
        let cookie = serializer.dumps(&data, now);
        line(&format!("{name}: verified and read ({} bytes)", cookie.len()), || {
            black_box(serializer.loads(black_box(&cookie), day, now).expect("it is right"));
        });
        line(&format!("{name}: written and signed"), || {
            black_box(serializer.dumps(black_box(&data), now));
        });
        line(&format!("{name}: both"), || {
            let read = serializer.loads(black_box(&cookie), day, now).expect("it is right");
            black_box(serializer.dumps(&read, now));
        });
    }
    let tokens = URLSafeTimedSerializer::new("a key of this bench").with_salt("wtf-csrf-token");
    line("a CSRF token: made and read", || {
        let token = tokens.dumps_at("5f4dcc3b5aa765d61d8327deb882cf99c0ffee00", now).expect("text can be JSON");
        black_box(tokens.loads_at::<String>(&token, day, now).expect("it is right"));
    });

    println!("-- requests, each with the visitor's cookie; making them is in it");
    let cookie = format!("session={}", serializer.dumps(&visitor(), now));
    let by_cookie = app(None)?;
    for (name, path) in [("that ask nothing", "/nothing"), ("that read", "/read"), ("that write", "/write")] {
        line(&format!("in the cookie: {name}"), || ask(&by_cookie, path, &cookie));
    }
    let in_memory = app(Some(MemorySessions::new()))?;
    let response = in_memory.call(Request::get("/write"));
    let id = response.headers()["set-cookie"].to_str()?.split(';').next().unwrap_or_default().to_owned();
    for (name, path) in [("that ask nothing", "/nothing"), ("that read", "/read"), ("that write", "/write")] {
        line(&format!("in memory: {name}"), || ask(&in_memory, path, &id));
    }
    Ok(())
}
