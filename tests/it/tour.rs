//! `examples/tour`, as a visitor sees it: the same code, over the test client and once over a socket.

#[path = "../../examples/tour/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod site;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dewar::TestClient;
use dewar::server::Server;
use serde_json::{Value, json};

/// A client of a tour with a file of its own, which goes with it.
struct Tour {
    client: TestClient,
    _file: TempFile,
}

impl Tour {
    fn new() -> Tour {
        let file = TempFile::new();
        Tour { client: file.app().test_client(), _file: file }
    }
}

impl Deref for Tour {
    type Target = TestClient;

    fn deref(&self) -> &TestClient {
        &self.client
    }
}

struct TempFile(PathBuf);

impl TempFile {
    fn new() -> TempFile {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dewar-tour-{}-{}.sqlite", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        TempFile(std::env::temp_dir().join(name))
    }

    fn app(&self) -> dewar::App {
        site::app(&self.0).expect("the temporary folder can be written to")
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let mut name = self.0.clone().into_os_string();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }
}

#[test]
fn every_page_answers_and_marks_itself_in_the_navigation() {
    let tour = Tour::new();
    for (path, heading) in [
        ("/", "Handlers that simply block."),
        ("/guestbook/", "Guestbook"),
        ("/api/", "The same table as JSON"),
        ("/fetches", "Ten slow fetches"),
        ("/lab", "What does a loop cost?"),
    ] {
        let response = tour.get(path);
        assert_eq!(response.status(), 200, "{path}: {:?}", response.error());
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        let page = response.text();
        assert!(page.contains(&format!("<h1>{heading}</h1>")), "{path}: {page}");
        assert_eq!(page.matches("aria-current=\"page\"").count(), 1, "{path}: {page}");
    }
}

#[test]
fn pages_show_the_code_that_made_them() {
    let tour = Tour::new();
    for (path, code) in [
        ("/", "fn front(store: State&lt;Store&gt;)"),
        ("/guestbook/", "fn add(store: State&lt;Store&gt;"),
        ("/api/", "fn create(store: State&lt;Store&gt;"),
        ("/fetches", "fn bridged("),
        ("/lab", "const KINDS: &amp;[Kind]"),
    ] {
        assert!(tour.get(path).text().contains(code), "{path} does not show {code}");
    }
}

#[test]
fn nothing_comes_from_other_hosts_and_no_script_runs_but_the_labs() {
    let tour = Tour::new();
    for path in ["/", "/guestbook/", "/api/", "/fetches", "/lab?n=10&concurrency=1", "/nowhere"] {
        let response = tour.get(path);
        let page = response.text();
        for foreign in ["src=\"http", "href=\"http", "<script>", "<iframe", "style=\""] {
            assert!(!page.contains(foreign), "{path} has {foreign}");
        }
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        let lab = path.starts_with("/lab");
        assert_eq!((page.matches("<script").count(), policy.contains("script-src")), (usize::from(lab), lab), "{path}");
    }
}

#[test]
fn static_files_are_served() {
    let tour = Tour::new();
    for (path, kind) in [
        ("/static/style.css", "text/css;"),
        ("/static/icon.svg", "image/svg+xml;"),
        ("/static/lab.js", "text/javascript;"),
    ] {
        let response = tour.get(path);
        assert_eq!(response.status(), 200);
        assert!(response.header("content-type").unwrap().starts_with(kind), "{response:?}");
        let etag = response.header("etag").unwrap();
        assert_eq!(tour.request("GET", path).header("if-none-match", etag).send().status(), 304);
    }
}

#[test]
fn an_entry_is_written_shown_escaped_and_deleted() {
    let tour = Tour::new();
    let form = [("name", " Ada "), ("message", "<script>alert(1)</script>\r\nsecond line\r\n")];
    let response = tour.post("/guestbook/").form(form).send();
    assert_eq!((response.status(), response.header("location")), (303, Some("/guestbook/#entry-2")));

    let response = tour.post("/guestbook/").form([("name", "Bob"), ("message", "Hi")]).follow_redirects().send();
    assert_eq!((response.status(), response.location()), (200, "/guestbook/"));
    let page = response.text();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;"), "{page}");
    assert!(page.contains("<strong>Ada</strong>") && page.contains("3 entries"), "{page}");
    assert!(page.find("entry-3").unwrap() < page.find("entry-2").unwrap(), "the newest comes first");

    let response = tour.post("/guestbook/2/delete").send();
    assert_eq!((response.status(), response.header("location")), (303, Some("/guestbook/")));
    assert!(!tour.get("/guestbook/").text().contains("<strong>Ada</strong>"));
    assert_eq!(tour.post("/guestbook/2/delete").send().status(), 404);
    assert_eq!(tour.get("/guestbook/2/delete").status(), 405);
}

#[test]
fn mistakes_are_shown_beside_the_fields_and_nothing_is_lost() {
    let tour = Tour::new();
    let long = "é".repeat(501);
    let response = tour.post("/guestbook/").form([("name", "\"Ada\""), ("message", &long)]).send();
    assert_eq!(response.status(), 422);
    let page = response.text();
    assert!(page.contains("id=\"message-mistake\">At most 500 characters fit; this has 501.<"), "{page}");
    assert!(!page.contains("id=\"name-mistake\""), "{page}");
    assert!(page.contains("value=\"&#34;Ada&#34;\"") && page.contains(&long), "{page}");
    assert!(page.contains("1 entry"), "{page}");

    let page = tour.post("/guestbook/").form([("name", " ")]).send().text();
    assert!(page.contains("Please write a name.") && page.contains("Please write a message."), "{page}");
    assert_eq!(
        tour.post("/guestbook/").form([("name", "é".repeat(40)), ("message", "é".repeat(500))]).send().status(),
        303
    );
}

#[test]
fn the_name_is_remembered() {
    let tour = Tour::new();
    tour.post("/guestbook/").form([("name", "Zoë; \"Z\""), ("message", "Hi")]).send();
    let page = tour.get("/guestbook/").text();
    assert!(page.contains("value=\"Zoë; &#34;Z&#34;\""), "{page}");
    assert!(page.contains("Thank you, Zoë; &#34;Z&#34;."), "{page}");
    assert!(!tour.get("/guestbook/").text().contains("Thank you, Zoë"), "said once only");
}

#[test]
fn older_entries_are_on_further_pages() {
    let tour = Tour::new();
    for n in 0..10 {
        tour.post("/guestbook/").form([("name", format!("Guest {n}")), ("message", "Hi".into())]).send();
    }
    let first = tour.get("/guestbook/").text();
    assert!(first.contains("Guest 9") && first.contains("Guest 0") && first.contains("before=2"), "{first}");
    assert!(!first.contains("<strong>Dewar</strong>"), "{first}");
    let second = tour.get("/guestbook/?before=2").text();
    assert!(second.contains("<strong>Dewar</strong>") && !second.contains("Older entries"), "{second}");
}

#[test]
fn forms_of_other_sites_are_not_taken() {
    let tour = Tour::new();
    let send = |origin| tour.post("/guestbook/1/delete").header("origin", origin).send().status();
    assert_eq!(send("https://elsewhere.example"), 403);
    assert_eq!(send("null"), 403);
    assert_eq!(send("http://localhost"), 303);
}

#[test]
fn the_api_creates_shows_lists_and_deletes() {
    let tour = Tour::new();
    let response = tour.post("/api/entries").json(&json!({ "name": "Ada", "message": "by JSON" })).send();
    assert_eq!((response.status(), response.header("location")), (201, Some("/api/entries/2")));
    let entry: Value = response.json();
    assert_eq!((&entry["id"], &entry["name"], &entry["message"]), (&json!(2), &json!("Ada"), &json!("by JSON")));

    assert_eq!(tour.get("/api/entries/2").json::<Value>(), entry);
    let all: Vec<Value> = tour.get("/api/entries").json();
    assert_eq!((all.len(), &all[0]), (2, &entry));
    assert_eq!(tour.get("/api/entries?limit=1").json::<Vec<Value>>(), [entry]);
    assert_eq!(tour.get("/api/entries?before=2").json::<Vec<Value>>()[0]["id"], 1);

    let response = tour.delete("/api/entries/2");
    assert_eq!((response.status(), response.text().as_str()), (204, ""));
    assert_eq!(tour.delete("/api/entries/2").status(), 404);
}

#[test]
fn the_api_answers_errors_in_json() {
    let tour = Tour::new();
    let malformed = || tour.post("/api/entries").header("content-type", "application/json");
    for (response, status) in [
        (tour.get("/api/entries/99"), 404),
        (tour.get("/api/nowhere"), 404),
        (tour.request("PUT", "/api/entries").send(), 405),
        (tour.get("/api/entries?limit=many"), 400),
        (malformed().body("{").send(), 400),
        (tour.post("/api/entries").body("name=Ada").send(), 415),
        (tour.post("/api/entries").json(&json!({ "name": 7 })).send(), 422),
    ] {
        assert_eq!(response.status(), status, "{response:?}");
        assert_eq!(response.header("content-type"), Some("application/json"), "{response:?}");
        assert_eq!(response.json::<Value>()["error"]["status"], status);
    }
    assert!(tour.request("PUT", "/api/entries").send().header("allow").unwrap().contains("POST"));

    let response = tour.post("/api/entries").json(&json!({ "name": "Ada" })).send();
    assert_eq!(response.status(), 422);
    assert_eq!(response.json::<Value>()["error"]["fields"], json!({ "message": "Please write a message." }));
}

#[test]
fn errors_have_a_page() {
    let tour = Tour::new();
    let response = tour.get("/nowhere");
    assert_eq!(response.status(), 404);
    assert!(response.text().contains("<h1>This page is not here.</h1>"), "{response:?}");

    let response = tour.post("/").send();
    assert_eq!((response.status(), response.text().contains("<h1>Method Not Allowed</h1>")), (405, true));
    assert!(response.header("allow").unwrap().contains("GET"));
}

#[test]
fn without_a_server_the_fetches_page_says_why() {
    // Port 9 on this machine: nothing answers there.
    let tour = Tour::new();
    let response = tour.post("/fetches").header("host", "127.0.0.1:9").send();
    assert_eq!(response.status(), 503);
    assert!(response.text().contains("no server of this machine answers at"), "{response:?}");
}

#[test]
fn over_a_socket_the_bridge_fetches_all_at_once() {
    let file = TempFile::new();
    let service = file.app().into_service().unwrap();
    let server = Server::bind("127.0.0.1:0").unwrap().start(Arc::new(service)).unwrap();
    let url = |path: &str| format!("http://{}{path}", server.addr());

    let mut response = ureq::get(url("/")).call().unwrap();
    assert!(response.body_mut().read_to_string().unwrap().contains("Handlers that simply block."));

    let mut response = ureq::post(url("/guestbook/")).send_form([("name", "Ada"), ("message", "by socket")]).unwrap();
    assert!(response.body_mut().read_to_string().unwrap().contains("by socket"));

    let mut response = ureq::post(url("/fetches")).send_empty().unwrap();
    let page = response.body_mut().read_to_string().unwrap();
    let times: Vec<f64> =
        page.split("<span>").filter_map(|text| text.split_once(" s</span>")?.0.parse().ok()).collect();
    let [one_by_one, bridged] = times[..] else { panic!("two times are shown: {page}") };
    assert!(bridged < one_by_one, "{times:?}");

    server.shutdown(Duration::from_secs(5));
}
