use dewar::{
    App, Blueprint, IntoResponse, Markup, Response, Result, StreamBody, TemplateNotFound, context, flash, flash_with,
    get_flashed_messages_with, get_template_attribute, render, render_template_string, stream_template,
    stream_template_string,
};

const PAGE: &str = "{{ who }} {{ only_app }} {{ everywhere }} {{ 'Ab'|quiet }}";
const OWN: &str = "{{ 'a<'|shout }} {{ 'ab'|twice }} {{ 'ab' is short }} {{ 'abcd' is short }} {{ answer() }}";
const STREAMED: &str = "{% for n in range(3) %}{{ n }}{% endfor %} {{ request.path }}";
const FLASHED: &str =
    "{% for c, m in get_flashed_messages(true, ['info', 'error']) %}{{ c }}: {{ m }}\n{% endfor %}";

fn none() -> Result<Response> {
    match render(["nothing.html", "nowhere.html"], context! {}) {
        Ok(page) => page.into_response(),
        Err(error) if error.is::<TemplateNotFound>() => ("none", 404).into_response(),
        Err(error) => Err(error),
    }
}

fn stream() -> Result<StreamBody> {
    stream_template("page.html", context! { name => "streamed" })
}

fn markup() -> Result<&'static str> {
    flash_with(Markup("<b>bold</b>".into()), "info")?;
    flash_with("<plain>", "error")?;
    flash("third")?;
    Ok("flashed")
}

fn filtered() -> String {
    let flashed = get_flashed_messages_with(["info", "error"]);
    flashed.into_iter().map(|flashed| flashed.message).collect::<Vec<_>>().join(",")
}

pub(crate) fn app() -> App {
    let mut app = crate::app("template_hooks");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.template_filter("shout", |text: String| text.to_uppercase() + "!");
    app.template_filter("twice", |text: String| text.repeat(2));
    app.template_test("short", |text: String| text.chars().count() < 4);
    app.template_global("answer", || 42);
    app.context_processor(|| context! { who => "app", only_app => 1 });

    let mut blue = Blueprint::new("blue").url_prefix("/blue");
    blue.context_processor(|| context! { who => "blue" });
    blue.app_context_processor(|| context! { everywhere => "yes" });
    blue.app_template_filter("quiet", |text: String| text.to_lowercase());

    app.get("/who", || render_template_string(PAGE, context! {})).endpoint("who");
    app.get("/who-explicit", || render_template_string(PAGE, context! { who => "given" })).endpoint("who_explicit");
    blue.get("/who", || render_template_string(PAGE, context! {})).endpoint("who");
    app.get("/own", || render_template_string(OWN, context! {}));
    app.get("/first", || render(["nothing.html", "page.html", "other.html"], context! { name => "first" }));
    app.get("/none", none);
    app.get("/macro", || -> Result<Markup> { get_template_attribute("page.html", "hello")?.call(&["<world>".into()]) });
    app.get("/stream", stream);
    app.get("/stream-string", || stream_template_string(STREAMED, context! {}));
    app.get("/markup", markup);
    app.get("/filtered", filtered);
    app.get("/page", || render_template_string(FLASHED, context! {}));
    app.register_blueprint(blue);
    app
}
