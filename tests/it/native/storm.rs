//! After everything at once, nothing is left.

use std::thread;
use std::time::Duration;

use dewar::server::Limits;
use dewar::{Body, Response};

use super::children::{descriptors, threads};
use super::*;
use crate::support::{Random, alone};

pub(super) fn service(request: Request) -> Response {
    match request.path() {
        "/bytes" => Response::new(vec![b'x'; 300_000]),
        "/file" => Response::new(Body::file(file_of(&vec![b'x'; 300_000]), 300_000)),
        "/stream" => Response::new(Body::blocks((0..30).map(|_| vec![b'x'; 10_000]))),
        "/slow" => {
            thread::sleep(millis(3));
            Response::text("slow")
        }
        "/compute" => {
            computing(millis(2));
            Response::text("computed")
        }
        "/panic" => panic!("as it should"),
        "/echo" => Response::new(request.take_body()),
        "/switch" => Response::switching_protocols("x", |mut connection| {
            let mut piece = [0; 10];
            while let Ok(n @ 1..) = connection.read(&mut piece) {
                if connection.write_all(&piece[..n]).is_err() {
                    break;
                }
            }
        }),
        "/ignore" => Response::text("ignored"),
        _ => data(&request),
    }
}

/// One client: some requests, of which it may take the answers, and then it is gone in one way or the other.
pub(super) fn visit(addr: std::net::SocketAddr, random: &mut Random, most: usize) {
    let mut client = Client::connect(addr);
    for _ in 0..random.below(most) + 1 {
        let body = "b".repeat([0, 10, 5000, 100_000][random.below(4)]);
        // And how many answers it has, when it is whole.
        let (request, whole) = match random.below(20) {
            0..6 => (get("/"), Some(1)),
            6 => (get("/bytes"), Some(1)),
            7 => (get("/file"), Some(1)),
            8 => (get("/stream"), Some(1)),
            9 => (get("/slow"), Some(1)),
            10 => (get("/compute"), Some(1)),
            11 => (get("/panic"), Some(1)),
            12 => (post("/echo", body.len()) + &body, Some(1)),
            13 => (post("/ignore", body.len()) + &body, Some(1)),
            14 => (post("/", body.len()) + &body, Some(1)),
            15 => (get("/").repeat(20) + &get("/slow") + &get("/stream"), Some(22)),
            16 => (post("/", body.len() + 50) + &body, None),
            17 => ("GET /switch HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\n\r\nabc".into(), None),
            18 => ("GET / HT".into(), None),
            _ => ("nonsense\r\n\r\n".into(), None),
        };
        client.send(&request);
        let Some(whole) = whole.filter(|_| random.below(10) > 0) else { break };
        for _ in 0..whole {
            let answer = client.answer();
            assert!([200, 500].contains(&answer.status), "{} to {:?}", answer.status, &request[..20]);
        }
    }
    if random.below(2) == 0 { reset(client) } else { drop(client) }
}

#[test]
fn after_a_storm_all_is_as_it_was() {
    alone("native::storm::after_a_storm_all_is_as_it_was", || {
        let server = Server::bind("127.0.0.1:0").unwrap().limits(Limits { max_workers: 64, ..defaults() });
        let server = server.start(Arc::new(service)).unwrap();
        let addr = server.addr();
        assert_eq!(connect(&server).get("/").status, 200);
        let least = thread::available_parallelism().unwrap().get().max(2);
        let calm = || server.stats().pool.workers == least;
        settled(&server);
        until(calm);
        let (before, names) = (descriptors(), threads().len());
        thread::scope(|scope| {
            for seed in 0..8 {
                scope.spawn(move || {
                    let mut random = Random(seed);
                    for _ in 0..150 {
                        visit(addr, &mut random, 8);
                    }
                });
            }
        });
        settled(&server);
        until(calm);
        until(|| descriptors() == before && threads().len() == names);
        let stats = server.stats();
        assert!(stats.requests > 2000, "{stats:?}");
        assert_eq!((stats.timeouts, stats.refused_503, stats.pool.panics), (0, 0, 0), "{stats:?}");
        assert_eq!(connect(&server).get("/").status, 200);
        assert_eq!(server.shutdown(Duration::from_secs(10)).cut, 0);
        until(|| threads().is_empty());
    });
}
