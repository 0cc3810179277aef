//! Routing and dispatch with no socket: `Service::call`, its time and its allocations.
//!
//! `cargo bench --bench dispatch`
//!
//! Each line is the median of many rounds. Requests are made outside of what is measured; responses are dropped inside.
#![allow(unsafe_code, reason = "counting allocations takes a global allocator; it only adds to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use dewar::{App, AppService, Json, Request, Response, Result, Service};

struct Counting;

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: every call is handed on to `System` as it is; the counter is a plain cell of this thread, and `try_with`
// keeps away from one that is gone.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 200;
const CALLS: usize = 1_000;

fn hello(name: String) -> String {
    format!("Hello, {name}!")
}

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

fn json() -> Json<Message> {
    Json(Message { message: "Hello, World!" })
}

async fn ready() -> &'static str {
    "ok"
}

fn show(id: i64) -> String {
    id.to_string()
}

fn app() -> App {
    let mut app = App::new("bench");
    app.get("/plaintext", || Response::text("Hello, World!"));
    app.get("/json", json);
    app.get("/hello/<name>", hello);
    app.get("/async", ready);
    app
}

/// An app with so many rules, a third of them with a variable.
fn app_of(rules: usize) -> AppService {
    let mut app = app();
    for i in 0..rules {
        match i % 3 {
            0 => app.get(&format!("/section{i}/page"), || "page"),
            1 => app.get(&format!("/section{i}/<int:id>"), show).endpoint(&format!("show{i}")),
            _ => app.get(&format!("/api/v1/resource{i}/all"), || "all"),
        };
    }
    app.into_service().expect("the rules are right")
}

fn measure(what: &str, service: &dyn Service, path: &str, expected: u16) -> f64 {
    let make = || Request::get(path).with_header("host", "localhost");
    assert_eq!(service.call(make()).status(), expected, "{path}");
    let mut nanos = Vec::with_capacity(ROUNDS);
    let mut allocations = 0;
    for _ in 0..ROUNDS {
        let requests: Vec<Request> = (0..CALLS).map(|_| make()).collect();
        // The engine holds the request's own allocation; what is dropped of it in `call` costs no allocation.
        let kept = requests.clone();
        let before = ALLOCATIONS.get();
        let start = Instant::now();
        for request in requests {
            black_box(service.call(request));
        }
        nanos.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        allocations = ALLOCATIONS.get() - before;
        drop(kept);
    }
    nanos.sort_by(f64::total_cmp);
    let median = nanos[ROUNDS / 2];
    println!("{what:44} {median:7.0} ns   {:5.1} allocations", allocations as f64 / CALLS as f64);
    median
}

fn main() -> Result<()> {
    let service = app().into_service()?;
    measure("a closure service, nothing else", &|_: Request| Response::text("Hello, World!"), "/plaintext", 200);
    measure("/plaintext", &service, "/plaintext", 200);
    measure("/json", &service, "/json", 200);
    measure("/hello/<name>", &service, "/hello/world", 200);
    measure("/async, ready at once", &service, "/async", 200);
    measure("no rule: 404", &service, "/nowhere", 404);

    let mut hooked = app();
    hooked.before_request(|| ());
    hooked.after_request(|response: Response| response);
    let hooked = hooked.into_service()?;
    measure("/hello/<name>, a hook before and one after", &hooked, "/hello/world", 200);

    println!();
    let few = app_of(10);
    let many = app_of(1_000);
    for (path, of_many) in [("/section3/page", "/section999/page"), ("/section4/7", "/section997/7")] {
        let a = measure(&format!("10 routes: {path}"), &few, path, 200);
        let b = measure(&format!("1,000 routes: {of_many}"), &many, of_many, 200);
        println!("{:44} {:7.2}", "ratio", b / a);
    }
    Ok(())
}
