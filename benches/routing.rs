//! What finding a rule costs: with 10 rules and with 1,000, in time and in allocations.
//!
//! `cargo bench --bench routing`. Times are medians of many batches, in nanoseconds.

// A global allocator that counts cannot be written without: `GlobalAlloc` is an unsafe trait.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use dewar::routing::{Converters, Found, Router, RouterBuilder, Rule};
use http::Method;

/// The system's allocator, counted.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that `System` wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BATCHES: usize = 301;
const BATCH: usize = 2000;

fn main() {
    let (small, large) = (router(10), router(1000));
    println!("{:<34} {:>8} {:>8} {:>7} {:>12}", "find", "10", "1000", "ratio", "allocations");
    for (what, of_small, of_large) in [
        ("static /static/page7", "/static/page7", "/static/page7"),
        ("static, last rule", "/static/page9", "/static/page999"),
        ("dynamic /hello/world", "/hello/world", "/hello/world"),
        ("dynamic, last /r9/<a>/<int:b>", "/r9/first/42", "/r999/first/42"),
        ("two in a segment /a-b.html", "/seg/some-title-12.html", "/seg/some-title-12.html"),
        ("path /files/<path:p>", "/files/css/site/main.css", "/files/css/site/main.css"),
        ("not found /nowhere/at/all", "/nowhere/at/all", "/nowhere/at/all"),
    ] {
        let (ns_small, _) = measure(&small, of_small);
        let (ns_large, allocations) = measure(&large, of_large);
        let ratio = ns_large / ns_small;
        println!("{what:<34} {ns_small:>8.1} {ns_large:>8.1} {ratio:>7.2} {allocations:>12.2}");
    }
    converters();
    hostile();
}

/// A thousand rules with converters: a match shall take 300 ns at most.
fn converters() {
    let converters = Converters::default();
    let mut builder = RouterBuilder::new();
    let forms = [
        "/shop/<any(de, en, fr):lang>/k#/<int(min=1, max=99999):id>",
        "/k#/<uuid:u>/<string(length=2):lang>",
        "/k#/<float(signed=True):x>/<int(fixed_digits=4):year>/",
        "/<string(minlength=2):a>/k#/<slug>-<int:n>.html",
    ];
    for i in 0..250 {
        for form in forms {
            let text = form.replace('#', &i.to_string());
            let rule = Rule::parse(&text, &converters).expect("these rules are right");
            builder.add(rule.methods([Method::GET]), text);
        }
    }
    let router = builder.freeze();
    println!("\n{:<50} {:>8} {:>12}", "1,000 rules with converters", "ns", "allocations");
    for path in [
        "/shop/fr/k249/4711",
        "/k249/0b6e9a3c-1f2d-4c5b-8a79-abcdef012345/de",
        "/k249/-12.75/2024/",
        "/users/k249/some-title-12.html",
        "/k249/nothing/like/it",
    ] {
        let (ns, allocations) = measure(&router, path);
        println!("{path:<50} {ns:>8.1} {allocations:>12.2}");
    }
}

/// A router of so many static rules, as many with variables, and a few of other forms.
fn router(n: usize) -> Router {
    let converters = Converters::default();
    let mut builder = RouterBuilder::new();
    let mut add = |text: &str| {
        let rule = Rule::parse(text, &converters).expect("these rules are right");
        builder.add(rule.methods([Method::GET]), text);
    };
    for i in 0..n {
        add(&format!("/static/page{i}"));
        add(&format!("/r{i}/<a>/<int:b>"));
    }
    add("/hello/<name>");
    add("/seg/<title>-<int:n>.html");
    add("/files/<path:p>");
    builder.freeze()
}

/// The median time of one `find`, and its allocations.
fn measure(router: &Router, path: &str) -> (f64, f64) {
    let mut times = Vec::with_capacity(BATCHES);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..BATCHES {
        let began = Instant::now();
        for _ in 0..BATCH {
            let found = black_box(router).find(black_box(&Method::GET), black_box(path));
            // By reference: handing it over by value would time a copy.
            black_box(&found);
        }
        times.push(began.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    times.sort_by(f64::total_cmp);
    (times[BATCHES / 2], allocations as f64 / (BATCHES * BATCH) as f64)
}

/// The worst that 8 KiB of path do to six variables in one segment.
fn hostile() {
    let mut builder = RouterBuilder::new();
    let text = "/<a>-<b>-<c>-<d>-<e>x<f>";
    builder.add(Rule::parse(text, &Converters::default()).expect("this rule is right"), text);
    let router = builder.freeze();
    for path in [format!("/{}", "-".repeat(8192)), format!("/{}x-", "-".repeat(8192))] {
        let began = Instant::now();
        let found = matches!(router.find(&Method::GET, &path), Found::Match { .. });
        println!("hostile 8 KiB, found: {found:<5} {:>10.1} µs", began.elapsed().as_secs_f64() * 1e6);
    }
}
