//! An app in parts: a blueprint for the blog, one inside of it for its administration, hooks and error pages of their
//! own, and URLs built by name.
//!
//! `cargo run --example blueprints`, then open <http://127.0.0.1:5000/blog/>

use dewar::{App, Blueprint, HttpError, Response, Result, abort, g, request, url_for};

const POSTS: [&str; 3] = ["Why sync?", "A bridge to async", "No more spawn_blocking"];

fn index() -> Result<String> {
    let mut page = String::from("<h1>Blog</h1>");
    for (id, title) in POSTS.iter().enumerate() {
        page += &format!("<p><a href=\"{}\">{title}</a>", url_for!(".post", id = id as i64)?);
    }
    Ok(page)
}

fn post(id: usize) -> Result<String> {
    let Some(title) = POSTS.get(id) else { abort!(404, "There is no post {id}.") };
    Ok(format!("<h1>{title}</h1><a href=\"{}\">All posts</a>", url_for!(".index")?))
}

fn dashboard() -> String {
    let user: String = g().get("user").unwrap_or_default();
    format!("Welcome, {user}: {} posts.", POSTS.len())
}

/// Runs before each view of the blueprint, and of no other.
fn only_admins() -> Result<()> {
    let request = request();
    let Some(user) = request.header("x-user") else { abort!(401, "Say who you are in the header x-user.") };
    g().set("user", user.to_owned());
    Ok(())
}

fn admin() -> Blueprint {
    let mut admin = Blueprint::new("admin").url_prefix("/admin");
    admin.before_request(only_admins);
    admin.get("/", dashboard);
    admin
}

fn blog() -> Blueprint {
    let mut blog = Blueprint::new("blog").url_prefix("/blog");
    blog.get("/", index);
    blog.get("/<int:id>", post);
    blog.errorhandler(404, |error: HttpError| (format!("<h1>Not in this blog</h1><p>{}", error.description()), 404));
    blog.after_request(|response: Response| response.with_header("x-part", "blog"));
    blog.register_blueprint(admin());
    blog
}

pub fn app() -> App {
    let mut app = App::new("blueprints");
    app.get("/", || dewar::redirect("/blog/"));
    app.register_blueprint(blog());
    app
}

fn main() -> Result<()> {
    app().run()
}
