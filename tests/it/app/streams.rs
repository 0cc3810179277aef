//! Async streams as responses, and uploads as async streams.

use std::convert::Infallible;
use std::io::{self, BufRead};
use std::sync::Arc;

use bytes::Bytes;
use dewar::bridge::{self, luggage};
use dewar::{App, Body, IntoResponse, Response, Result, StreamBody, g, request, stream_with_context};
use futures_util::StreamExt;

use crate::support::{client, panic_message};

fn letters(text: &'static str) -> StreamBody {
    StreamBody::new(bridge::stream(async move |yielder| {
        for letter in text.chars() {
            bridge::yield_now().await;
            yielder.send(letter.to_string()).await;
        }
    }))
}

#[test]
fn a_stream_is_answered_block_by_block() {
    let mut app = App::new("test");
    app.get("/", || letters("abc"));
    app.get("/typed", || (letters("a,b").content_type("text/csv"), 201, [("x-made", "slowly")]));
    app.get("/either", || -> Result<Response> { Ok(letters("x").into()) });
    app.get("/body", || Body::from(letters("plain")));
    app.get("/async", async || letters("made in a fragment, read outside of it"));
    let client = client(app);
    let plain = client.get("/");
    assert_eq!((&*plain.text(), plain.header("content-type")), ("abc", Some("text/html; charset=utf-8")));
    assert_eq!(plain.header("content-length"), None);
    let typed = client.get("/typed");
    assert_eq!((typed.status(), &*typed.text()), (201, "a,b"));
    assert_eq!((typed.header("content-type"), typed.header("x-made")), (Some("text/csv"), Some("slowly")));
    assert_eq!(client.get("/either").text(), "x");
    let body = client.get("/body");
    assert_eq!((&*body.text(), body.header("content-type")), ("plain", None));
    assert_eq!(client.get("/async").text(), "made in a fragment, read outside of it");
}

#[test]
fn an_error_breaks_the_body_off() {
    let mut app = App::new("test");
    app.get("/", || {
        StreamBody::new(bridge::try_stream(async |yielder| {
            yielder.send("half").await;
            Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut))
        }))
    });
    let response = client(app).get("/");
    assert_eq!(response.body_error().unwrap().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn without_more_the_context_is_gone_when_the_stream_runs() {
    let mut app = App::new("test");
    app.get("/", || {
        StreamBody::new(bridge::stream(async |yielder| {
            yielder.send(luggage::current().is_none().to_string()).await;
        }))
    });
    app.get("/blocks", || Body::blocks((0..1).map(|_| luggage::current().is_none().to_string())));
    let client = client(app);
    assert_eq!(client.get("/").text(), "true");
    assert_eq!(client.get("/blocks").text(), "true", "as that of blocks");
}

#[test]
fn a_stream_keeps_the_context_if_it_is_asked_to() {
    struct Tells(Arc<std::sync::Mutex<Vec<String>>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let name = g().get::<String>("name");
            self.0.lock().unwrap().push(format!("{} {name:?}", request().path()));
        }
    }
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut app = App::new("test");
    app.before_request(|| g().set("name", String::from("Ann")));
    let tells = Arc::clone(&told);
    app.get("/async", move || {
        let tells = Arc::clone(&tells);
        StreamBody::new(stream_with_context(bridge::stream(async move |yielder| {
            let _tells = Tells(tells);
            for _ in 0..2 {
                // In a task of the stream's, too.
                let path = bridge::spawn(async { request().path().to_owned() }).await.unwrap();
                yielder.send(format!("{path} {} ", g().get::<String>("name").unwrap())).await;
            }
        })))
    });
    app.get("/blocks", || {
        Body::blocks(stream_with_context((0..2).map(|_| format!("{} ", g().get::<String>("name").unwrap()))))
    });
    let client = client(app);
    assert_eq!(client.get("/async").text(), "/async Ann /async Ann ");
    assert_eq!(*told.lock().unwrap(), [r#"/async Some("Ann")"#]);
    assert_eq!(client.get("/blocks").text(), "Ann Ann ");
    let message = panic_message(|| stream_with_context(0..1));
    assert!(message.contains("outside of a request"), "{message}");
}

#[test]
fn an_upload_is_a_stream() {
    async fn lengths() -> Result<String> {
        let mut blocks = bridge::read_stream(request().take_body()).block_size(3);
        let mut lengths = Vec::new();
        while let Some(block) = blocks.next().await {
            lengths.push(block?.len());
        }
        Ok(format!("{lengths:?}"))
    }
    let mut app = App::new("test");
    app.post("/lengths", lengths);
    // Through both worlds and back.
    app.post("/shout", || {
        let blocks = bridge::read_stream(request().take_body());
        StreamBody::new(blocks.map(|block| block.map(|block| block.to_ascii_uppercase())))
    });
    app.post("/lines", || -> Result<String> {
        let blocks = bridge::read_stream(request().take_body()).block_size(2);
        Ok(bridge::stream_reader(blocks).lines().collect::<io::Result<Vec<_>>>()?.join("|"))
    });
    let client = client(app);
    assert_eq!(client.post("/lengths").body("abcdefgh").send().text(), "[3, 3, 2]");
    assert_eq!(client.post("/shout").body("hello").send().text(), "HELLO");
    assert_eq!(client.post("/lines").body("one\ntwo\nthree").send().text(), "one|two|three");
}

#[test]
fn a_content_type_that_is_none_is_refused() {
    let empty = || StreamBody::new(futures_util::stream::empty::<Bytes>());
    let message = panic_message(|| empty().content_type("text/\nplain"));
    assert!(message.contains("content type"), "{message}");
    let failing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
    assert_eq!(StreamBody::new(failing).into_response().unwrap().status(), 200);
}
