//! Async streams on real sockets: as responses, and of uploads.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use dewar::{IntoResponse, Request, Response, StreamBody, bridge};
use futures_util::StreamExt;

use super::{Client, next, start};

#[test]
fn a_block_is_sent_when_it_comes() {
    let (say, heard) = channel();
    let heard = Mutex::new(Some(heard));
    let server = start(move |_| {
        let heard = heard.lock().unwrap().take().unwrap();
        StreamBody::new(bridge::iter_stream(heard)).content_type("text/event-stream").into_response().unwrap()
    });
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("content-type"), Some("text/event-stream"));
    for n in 0..3 {
        say.send(format!("event {n}")).unwrap();
        assert_eq!(client.chunk().unwrap(), format!("event {n}").as_bytes());
    }
    drop(say);
    assert_eq!(client.chunk(), None);
}

#[test]
fn a_client_that_goes_away_drops_the_stream() {
    struct Tells(Mutex<std::sync::mpsc::Sender<()>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.lock().unwrap().send(());
        }
    }
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = start(move |_| {
        let tells = Tells(Mutex::new(tell.lock().unwrap().clone()));
        let endless = bridge::stream(async move |yielder| {
            let _tells = tells;
            loop {
                yielder.send("x".repeat(100_000)).await;
            }
        });
        StreamBody::new(endless).into_response().unwrap()
    });
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.head();
    client.chunk().unwrap();
    drop(client);
    next(&told);
}

fn uploads(request: Request) -> Response {
    let blocks = bridge::read_stream(request.take_body());
    match request.path() {
        "/length" => {
            let length = blocks.fold(0, async |sum, block| sum + block.unwrap().len());
            Response::text(bridge::block_on(length).unwrap().to_string())
        }
        // While the response is sent: the lease on the connection lasts as long.
        "/shout" => {
            let shouted = blocks.map(|block| block.map(|block| block.to_ascii_uppercase()));
            StreamBody::new(shouted).into_response().unwrap()
        }
        // One block, and no further one: the rest is nobody's.
        "/first" => {
            let mut blocks = blocks.block_size(4);
            let first = bridge::block_on(blocks.next()).unwrap().unwrap().unwrap();
            Response::text(first)
        }
        _ => Response::text("last"),
    }
}

#[test]
fn an_upload_is_a_stream_and_the_connection_stays_in_step() {
    let server = start(uploads);
    let mut client = Client::connect(server.addr());
    for n in [5, 1024, 300_000] {
        let body: String = ('a'..='z').cycle().take(n).collect();
        let mut post = |path: &str| {
            client.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {n}\r\n\r\n{body}"));
            client.answer()
        };
        assert_eq!(post("/length").body, n.to_string());
        assert!(post("/shout").body == body.to_ascii_uppercase());
        assert_eq!(post("/first").body, "abcd");
        assert_eq!(client.get("/last").body, "last");
    }
}

#[test]
fn a_client_that_breaks_off_is_the_streams_last_item() {
    let (said, heard) = channel();
    let said = Arc::new(Mutex::new(said));
    let server = start(move |request| {
        let blocks = bridge::read_stream(request.take_body());
        let blocks: Vec<_> = bridge::block_on(blocks.collect()).unwrap();
        let kinds: Vec<_> = blocks.into_iter().map(|block| block.map_err(|error| error.kind())).collect();
        said.lock().unwrap().send(kinds).unwrap();
        Response::text("unheard")
    });
    let mut client = Client::connect(server.addr());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nbegun");
    client.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    let kinds = next(&heard);
    assert_eq!(kinds.last().unwrap(), &Err(std::io::ErrorKind::UnexpectedEof));
    assert_eq!(kinds.iter().flatten().flatten().copied().collect::<Vec<_>>(), b"begun");
}
