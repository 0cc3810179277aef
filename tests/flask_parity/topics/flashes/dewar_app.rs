use dewar::{
    App, Request, Response, Result, context, flash, flash_with, get_flashed_messages, redirect,
    render_template_string,
};

const PAGE: &str = r#"{% for category, message in get_flashed_messages(with_categories=true) %}
<p class="{{ category }}">{{ message }}</p>
{% endfor %}{{ get_flashed_messages()|length }}"#;

fn messages() -> String {
    get_flashed_messages().iter().map(|flashed| flashed.message.clone()).collect::<Vec<_>>().join(",")
}

fn add(request: Request) -> Result<&'static str> {
    for message in request.args().getlist("m") {
        flash(message)?;
    }
    for message in request.args().getlist("error") {
        flash_with(message, "error")?;
    }
    Ok("flashed")
}

pub(crate) fn app() -> App {
    let mut app = crate::app("flashes");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.get("/flash", add);
    app.get("/flash-and-go", || -> Result<Response> {
        flash("gone")?;
        Ok(redirect("/page").into())
    });
    app.get("/same-request", || -> Result<String> {
        flash("now")?;
        Ok(messages())
    });
    app.get("/messages", messages);
    app.get("/categories", || {
        let told = |flashed: &dewar::Flashed| format!("{}:{}", flashed.category, flashed.message);
        get_flashed_messages().iter().map(told).collect::<Vec<_>>().join(",")
    });
    app.get("/twice", || format!("{}+{}", messages(), messages()));
    app.get("/page", || render_template_string(PAGE, context! {}));
    app.get("/unused", || "unused");
    app
}
