//! The same pages by axum and minijinja, each handler's work in `spawn_blocking`, as its documentation advises for work
//! that may block. `pages-axum PORT`

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use dewar::{SessionData, SessionSerializer};
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

#[derive(Serialize)]
struct Row {
    id: u32,
    name: String,
    price: u32,
}

/// As templates have them: what Python's dicts are to Flask's.
static ROWS: LazyLock<Value> = LazyLock::new(|| {
    let row = |id| Row { id, name: format!("Item <{id}> & more"), price: id * 100 + 99 };
    Value::from(Serde((0..50).map(row).collect::<Vec<_>>()))
});

struct Site {
    env: Environment<'static>,
    sessions: SessionSerializer,
}

type Shared = State<Arc<Site>>;

async fn page(State(site): Shared) -> Response {
    let page = spawn_blocking(move || {
        let template = site.env.get_template("rows.html").unwrap();
        template.render(context! { rows => ROWS.clone(), count => ROWS.len() }).unwrap()
    });
    Html(page.await.unwrap()).into_response()
}

async fn visits(State(site): Shared, headers: HeaderMap) -> Response {
    let work = spawn_blocking(move || {
        let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let cookie = cookies.split("; ").find_map(|pair| pair.strip_prefix("session="));
        let now = SystemTime::now();
        let lifetime = Duration::from_secs(31 * 24 * 3600);
        let read = cookie.and_then(|cookie| site.sessions.loads(cookie, lifetime, now).ok());
        let mut session: SessionData = read.unwrap_or_default();
        let visits = session.get::<u64>("visits").unwrap_or(0) + 1;
        session.set("visits", visits).unwrap();
        session.set("name", "Ada Lovelace").unwrap();
        let cookie = format!("session={}; HttpOnly; Path=/", site.sessions.dumps(&session, now));
        ([(header::SET_COOKIE, cookie), (header::VARY, "Cookie".to_owned())], Html(visits.to_string()))
    });
    work.await.unwrap().into_response()
}

#[derive(Deserialize)]
struct Post {
    title: String,
    body: String,
    #[serde(default = "one")]
    page: i64,
}

fn one() -> i64 {
    1
}

async fn form(Form(post): Form<Post>) -> Html<String> {
    let work = spawn_blocking(move || format!("{} {} {}", post.title.len(), post.body.len(), post.page));
    Html(work.await.unwrap())
}

fn url_for(endpoint: &str, values: minijinja::value::Kwargs) -> Result<String, minijinja::Error> {
    Ok(match endpoint {
        "item" => format!("/item/{}", values.get::<u32>("id")?),
        other => format!("/{other}"),
    })
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8080);
    let mut env = Environment::new();
    env.set_loader(minijinja::path_loader(concat!(env!("CARGO_MANIFEST_DIR"), "/../templates")));
    env.add_function("url_for", url_for);
    let site = Arc::new(Site { env, sessions: SessionSerializer::new("only good for measuring") });
    let app = Router::new()
        .route("/page", get(page))
        .route("/visits", get(visits))
        .route("/form", post(form))
        .with_state(site);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
