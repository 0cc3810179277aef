//! Random conversations that are well-formed: every engine must answer as the service itself does, and all alike.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use dewar::http::{HeaderName, Version};
use dewar::server::Server;
use dewar::{Body, Request, Response};

use super::answer::{Answer, Answers};
use super::{engines, services};
use crate::support::Random;

/// A request, as bytes and as what a service is given.
struct Sent {
    bytes: Vec<u8>,
    method: &'static str,
    target: String,
    old: bool,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[test]
fn engines_answer_alike_and_as_the_service_does() {
    let engines = engines();
    let servers: Vec<_> = engines
        .iter()
        .map(|engine| Server::bind("127.0.0.1:0").unwrap().engine(engine.kind).start(Arc::new(answer)).unwrap())
        .collect();
    for seed in 0..300 {
        let mut random = Random(seed);
        // What follows a 1.0 request that does not ask for more would not be answered.
        let mut requests: Vec<Sent> = (0..1 + random.below(5)).map(|_| Sent::random(&mut random, false)).collect();
        requests.push(Sent::random(&mut random, true));
        let answers: Vec<Vec<Answer>> = servers.iter().map(|server| talk(server.addr(), &requests, seed)).collect();
        for (engine, answers) in engines.iter().zip(&answers) {
            for (sent, answered) in requests.iter().zip(answers) {
                let (status, headers, body) = sent.answered_directly();
                let heard = (answered.status, without_delivery(&answered.headers), &answered.body);
                assert_eq!(heard, (status, headers, &body), "{}, seed {seed}: {}", engine.name, sent.shown());
            }
        }
        for (engine, other) in engines.iter().zip(&answers).skip(1) {
            assert_eq!(answers[0], *other, "{} and {}, seed {seed}", engines[0].name, engine.name);
        }
    }
}

/// Of every kind that an answer can be.
fn answer(request: Request) -> Response {
    let data = request.data().unwrap();
    match request.args().get("as") {
        Some("stream") => Response::new(Body::blocks(vec![data.clone(), "and more".into(), data])),
        Some("sized") => Response::new(Body::sized_reader(std::io::Cursor::new(data.to_vec()), data.len() as u64)),
        Some("204") => Response::empty(204).with_header("x-left", "nothing"),
        Some("304") => Response::text("not sent").with_status(304).with_header("etag", "\"1\""),
        Some("404") => Response::html("<h1>none</h1>").with_status(404),
        Some("cookies") => {
            let mut response = Response::text(data);
            for value in ["a=1", "b=2"] {
                response.headers_mut().append("set-cookie", value.parse().unwrap());
            }
            response
        }
        _ => services::echo(&request, &data),
    }
}

impl Sent {
    fn random(random: &mut Random, last: bool) -> Sent {
        let method = pick(random, &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE", "M-SEARCH"]);
        let kind = pick(random, &["echo", "stream", "sized", "204", "304", "404", "cookies"]);
        let path = random.text(&['a', 'B', '0', '-', '.', '_', '~', '/', ':', '@', '!', '$', '+', ','], 20);
        let target = format!("/x{path}?as={kind}&q={}", random.text(&['a', '=', '/', '?', '%'], 5).replace('%', "%20"));
        let old = last && random.below(2) == 0;
        let version = if old { "1.0" } else { "1.1" };
        let mut headers = Vec::new();
        if !old || random.below(2) == 0 {
            headers.push(("host".to_owned(), pick(random, &["x", "example.com:80", "[::1]"]).to_owned()));
        }
        for n in 0..random.below(6) {
            let value = random.text(&['a', 'Z', '9', '"', ',', ';', '=', '(', '\\', '/'], 30);
            headers.push((format!("x-{}", n % 4), value));
        }
        if old || last {
            let words = ["close", "keep-alive", "Close", "keep-alive, x-0"];
            headers.push(("connection".to_owned(), pick(random, &words).to_owned()));
        }
        let mut body = Vec::new();
        let mut wire = Vec::new();
        match random.below(3) {
            0 => {}
            1 if !old => {
                headers.push(("transfer-encoding".to_owned(), pick(random, &["chunked", "Chunked"]).to_owned()));
                for _ in 0..random.below(4) {
                    let chunk = random_bytes(random);
                    if !chunk.is_empty() {
                        let size = format!("{:x}{}\r\n", chunk.len(), pick(random, &["", "", ";a=b"]));
                        wire.extend([size.as_bytes(), &chunk, b"\r\n"].concat());
                        body.extend(chunk);
                    }
                }
                wire.extend(b"0\r\n\r\n");
            }
            _ => {
                body = random_bytes(random);
                headers.push(("content-length".to_owned(), body.len().to_string()));
                wire.clone_from(&body);
            }
        }
        let mut bytes = format!("{method} {target} HTTP/{version}\r\n").into_bytes();
        for (name, value) in &headers {
            let name = if random.below(2) == 0 { name.clone() } else { name.to_ascii_uppercase() };
            let blank = pick(random, &["", " ", "  ", "\t"]);
            bytes.extend(format!("{name}:{blank}{value}{}\r\n", pick(random, &["", " ", "\t"])).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(wire);
        Sent { bytes, method, target, old, headers, body }
    }

    fn answered_directly(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let uri = self.target.parse().unwrap();
        let mut request = Request::new(self.method.parse().unwrap(), uri, self.body.clone());
        let parts = request.head_mut();
        if self.old {
            parts.version = Version::HTTP_10;
        }
        for (name, value) in &self.headers {
            parts.headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let response = answer(request);
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let status = response.status().as_u16();
        let bodiless = self.method == "HEAD" || [204, 304].contains(&status);
        let body = if bodiless { Vec::new() } else { response.into_body().into_bytes().unwrap().to_vec() };
        (status, without_delivery(&headers), body)
    }

    fn shown(&self) -> String {
        self.bytes[..self.bytes.len().min(500)].escape_ascii().to_string()
    }
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len())]
}

/// Mostly short; what is long is longer than what engines read at once.
fn random_bytes(random: &mut Random) -> Vec<u8> {
    let most = if random.below(8) == 0 { 40_000 } else { 60 };
    (0..random.below(most)).map(|_| random.next() as u8).collect()
}

/// Sends all requests at once, or in pieces, and reads all answers.
fn talk(addr: SocketAddr, requests: &[Sent], seed: u64) -> Vec<Answer> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = Answers::of(stream.try_clone().unwrap());
    let bytes: Vec<u8> = requests.iter().flat_map(|sent| sent.bytes.iter().copied()).collect();
    // Beside the reading: long bodies come back as long answers.
    let writer = std::thread::spawn(move || {
        let piece = [bytes.len(), 1000, 37][seed as usize % 3];
        bytes.chunks(piece).try_for_each(|piece| stream.write_all(piece))?;
        // An engine that leaves it to the client to close ends a stream on 1.0 only then.
        stream.shutdown(Shutdown::Write)
    });
    answers.wait_for(Duration::from_secs(20));
    let answers = requests.iter().enumerate().map(|(n, sent)| {
        let answer = answers.next(sent.method == "HEAD");
        answer.map(comparable).unwrap_or_else(|trouble| panic!("seed {seed}, answer {n}: {trouble}: {}", sent.shown()))
    });
    let answers = answers.collect();
    writer.join().unwrap().unwrap();
    answers
}

/// Without the date, and without the order in which engines put headers of different names.
fn comparable(mut answer: Answer) -> Answer {
    answer.headers.retain(|(name, _)| name != "date");
    answer.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    answer
}

/// Without what says how it is delivered, which is the engine's to say.
fn without_delivery(headers: &[(String, String)]) -> Vec<(String, String)> {
    let delivery = ["content-length", "transfer-encoding", "connection", "date"];
    let mut headers: Vec<_> = headers.iter().filter(|(name, _)| !delivery.contains(&name.as_str())).cloned().collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    headers
}
