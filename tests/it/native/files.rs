//! Bodies that are files.

use std::io::{Read, Seek, SeekFrom};
use std::thread;

use dewar::{Body, Response};

use super::*;
use crate::support::Folder;

/// Every four bytes tell where they are.
fn content() -> Vec<u8> {
    (0..LARGE as u32 / 4).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn service(folder: &Folder) -> impl Fn(Request) -> Response + Send + Sync + 'static {
    let path = folder.0.join("large");
    move |request: Request| {
        let mut file = File::open(&path).unwrap();
        match request.path() {
            "/part" => {
                file.seek(SeekFrom::Start(1_000_003)).unwrap();
                Response::new(Body::file(file, 5_000_001))
            }
            "/short" => Response::new(Body::file(file, LARGE as u64 + 10)),
            "/small" => Response::new(Body::file(file, 1000)),
            "/none" => Response::new(Body::file(file, 0)),
            "/reader" => Response::new(Body::sized_reader(file, LARGE as u64)),
            _ => Response::new(Body::file(file, LARGE as u64)),
        }
    }
}

fn body(client: &mut Client, mut pause: impl FnMut(usize)) -> Vec<u8> {
    let length: usize = client.head().header("content-length").unwrap().parse().unwrap();
    let (mut body, mut at) = (vec![0; length], 0);
    while at < length {
        let n = client.0.read(&mut body[at..]).unwrap();
        assert!(n > 0, "it ended after {at} bytes");
        at += n;
        pause(at);
    }
    body
}

#[test]
fn a_file_arrives_as_it_is() {
    let folder = Folder::new("native-files");
    let content = content();
    folder.write("large", &content);
    let server = serve(defaults(), service(&folder));
    let mut client = connect(&server);
    for path in ["/", "/reader", "/"] {
        client.send(get(path));
        assert!(body(&mut client, |_| {}) == content, "{path}");
    }
    // A slow one, with answers around it.
    client.send(get("/small") + &get("/") + &get("/part") + &get("/none") + &get("/small"));
    assert!(body(&mut client, |_| {}) == content[..1000]);
    let mut next_stop = 0;
    let slowly = |at| {
        if at > next_stop {
            next_stop = at + 1_000_000;
            thread::sleep(millis(10));
        }
    };
    assert!(body(&mut client, slowly) == content);
    assert!(body(&mut client, |_| {}) == content[1_000_003..6_000_004]);
    assert!(body(&mut client, |_| {}).is_empty());
    assert!(body(&mut client, |_| {}) == content[..1000]);
    // Only its head.
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned() + &get("/small"));
    assert_eq!(client.head().header("content-length"), Some(LARGE.to_string().as_str()));
    assert!(body(&mut client, |_| {}) == content[..1000]);
    // One that is shorter than it was said to be must not look whole, and nothing may follow.
    client.send(get("/short") + &get("/small"));
    assert_eq!(client.head().header("content-length"), Some((LARGE + 10).to_string().as_str()));
    assert!(rest(&mut client) == content);
    settled(&server);
}

#[test]
fn three_hundred_downloads_at_once() {
    let folder = Folder::new("native-downloads");
    let content = content();
    folder.write("large", &content);
    let server = serve(Limits { max_workers: 4, ..defaults() }, service(&folder));
    let mut clients: Vec<_> = (0..300).map(|_| connect(&server)).collect();
    clients.iter_mut().for_each(|client| client.send(get("/part")));
    // All are on their way, and nobody is held by them.
    let mut lengths = clients.iter_mut().map(|client| client.head());
    assert!(lengths.all(|head| head.header("content-length") == Some("5000001")));
    assert_eq!(connect(&server).get("/none").status, 200);
    thread::scope(|scope| {
        for part in clients.chunks_mut(100) {
            let content = &content;
            scope.spawn(move || {
                let mut body = vec![0; 5_000_001];
                for client in part {
                    client.0.read_exact(&mut body).unwrap();
                    assert!(body == content[1_000_003..6_000_004]);
                }
            });
        }
    });
    drop(clients);
    settled(&server);
}
