//! Two million requests: `cargo test --release --test it soak -- --ignored --nocapture`, or `DEWAR_SOAK` of them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::storm::service;
use super::*;
use crate::support::Random;

const REQUESTS: u64 = 2_000_000;
const WARM: u64 = 200_000;
/// In KiB.
const SLACK: usize = 6 << 10;

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A connection for as many requests as it happens to have, which may end in the middle of one.
fn visit(addr: SocketAddr, random: &mut Random, answered: &AtomicU64, cut: &AtomicU64) {
    let mut client = Client::connect(addr);
    let most = 1 + random.below(200);
    for n in 0..most {
        let (request, count) = match random.below(200) {
            0 => (get("/stream"), 1),
            1 => (get("/file"), 1),
            2 => (get("/bytes"), 1),
            3 => (post("/echo", 3000) + &"b".repeat(3000), 1),
            4 => (post("/", 100_000) + &"b".repeat(100_000), 1),
            5 => (get("/slow"), 1),
            6..26 => (get("/").repeat(30), 30),
            _ => (get("/"), 1),
        };
        if n + 1 == most && random.below(3) == 0 {
            let part = random.below(request.len());
            client.send(&request.as_bytes()[..part]);
            cut.fetch_add(1, Ordering::Relaxed);
            return if random.below(2) == 0 { reset(client) } else { drop(client) };
        }
        client.send(&request);
        for _ in 0..count {
            assert_eq!(client.answer().status, 200);
        }
        answered.fetch_add(count, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "takes minutes"]
fn two_million_requests() {
    let requests = std::env::var("DEWAR_SOAK").map_or(REQUESTS, |count| count.parse().unwrap());
    let server = serve(defaults(), service);
    let (answered, cut) = (AtomicU64::new(0), AtomicU64::new(0));
    let addr = server.addr();
    assert_eq!(connect(&server).get("/").status, 200);
    let (since, least) = (Instant::now(), thread::available_parallelism().unwrap().get().max(2));
    let (warm, end) = thread::scope(|scope| {
        for seed in 0..8 {
            let (answered, cut) = (&answered, &cut);
            scope.spawn(move || {
                let mut random = Random(seed);
                while answered.load(Ordering::Relaxed) < requests {
                    visit(addr, &mut random, answered, cut);
                }
            });
        }
        let at = |count| {
            while answered.load(Ordering::Relaxed) < count {
                thread::sleep(millis(5));
            }
            let now = resident();
            println!("{now} KiB resident after {count}");
            now
        };
        let warm = at(WARM);
        (warm, (1..=10).map(|tenth| at(requests / 10 * tenth)).fold(0, |_, now| now))
    });
    settled(&server);
    let stats = server.stats();
    println!(
        "{} answered, {} cut short, in {:?}",
        answered.load(Ordering::Relaxed),
        cut.load(Ordering::Relaxed),
        since.elapsed()
    );
    println!("{stats:?}");
    // Beyond a tenth, what the allocator keeps for each thread: it goes on growing to some 20 MiB, and then no more.
    assert!(end <= warm + warm / 10 + SLACK, "{warm} KiB grew to {end} KiB");
    assert_eq!((stats.timeouts, stats.refused_503, stats.panics), (0, 0, 0));
    until(|| server.stats().pool.workers == least);
    assert_eq!(server.shutdown(NEVER).cut, 0);
}
