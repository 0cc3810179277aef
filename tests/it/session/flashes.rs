//! Messages from one request to the next, and what templates see.

use std::time::SystemTime;

use dewar::{
    App, Flashed, SessionData, SessionSerializer, flash, flash_with, get_flashed_messages, get_flashed_messages_with,
};

use super::{DAY, app};

#[test]
fn messages_are_flashed() {
    let mut app = app();
    app.get("/flash", || {
        flash("one")?;
        flash_with("<two>", "error")?;
        flash("three")
    })
    .endpoint("flash");
    app.get("/show", || {
        let (first, again) = (get_flashed_messages(), get_flashed_messages());
        assert_eq!(first, again);
        let text = |f: &Flashed| format!("{}:{f}:{}", f.category, f.markup);
        first.iter().map(text).collect::<Vec<_>>().join(" ")
    })
    .endpoint("show");
    app.get("/both", || {
        flash("before").unwrap();
        let shown = get_flashed_messages().len();
        flash("after").unwrap();
        format!("{shown} {}", get_flashed_messages().len())
    })
    .endpoint("both");
    let client = app.test_client();
    client.get("/flash");
    assert_eq!(client.get("/get/_flashes").text(), r#"[["message","one"],["error","<two>"],["message","three"]]"#);
    let cookie = client.cookie("session").unwrap();
    let data = SessionSerializer::new("dev").loads(&cookie, DAY, SystemTime::now()).unwrap();
    assert_eq!(
        data.to_tagged_json(),
        r#"{"_flashes":[{" t":["message","one"]},{" t":["error","<two>"]},{" t":["message","three"]}]}"#
    );
    assert_eq!(client.get("/show").text(), "message:one:false error:<two>:false message:three:false");
    assert_eq!(client.cookie("session"), None);
    let response = client.get("/show");
    assert_eq!((response.text().as_str(), response.header("set-cookie")), ("", None));
    assert_eq!(client.get("/both").text(), "1 1");
    assert_eq!(client.get("/show").text(), "message:after:false");

    // As other things than Flask itself may have left them.
    let odd = r#"{"_flashes":[["info","list"],{" t":["x",{" m":"<b>"}]},{" t":["n",7]},{" t":["short"]},3]}"#;
    let data = SessionData::from_tagged_json(odd).unwrap();
    client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
    assert_eq!(client.get("/show").text(), "info:list:false x:<b>:true n:7:false");
}

#[cfg(feature = "templates")]
#[test]
fn templates_see_it() {
    use dewar::{context, render_template_string};

    let json = concat!(
        r#"{"_flashes":[{" t":["message","<1>"]},{" t":["error",{" m":"<2>"}]},{" t":["info","3"]}],"#,
        r#""html":{" m":"<b>"},"n":[1,{" t":[2]}],"user":"<ada>"}"#
    );
    for (template, wanted) in [
        ("{{ session.user }} {{ session['html'] }} {{ session.n }}", "&lt;ada&gt; <b> [1, [2]]"),
        ("{{ session.nobody }}|{{ session.get('user') }}|{{ session.get('x', 'y') }}", "|&lt;ada&gt;|y"),
        ("{{ 'user' in session }} {{ 'x' in session }} {{ session|length }}", "True False 4"),
        ("{% for key in session %}{{ key }} {% endfor %}", "_flashes html n user "),
        ("{% for k, v in session.items() %}{{ k }}{% endfor %}", "_flasheshtmlnuser"),
        ("{{ get_flashed_messages()|join(' ') }}", "&lt;1&gt; <2> 3"),
        ("{% for m in get_flashed_messages() %}{{ m }}{% endfor %}", "&lt;1&gt;<2>3"),
        ("{{ get_flashed_messages()|length }}{{ get_flashed_messages()|length }}", "33"),
        (
            "{% for c, m in get_flashed_messages(with_categories=true) %}{{ c }}={{ m }};{% endfor %}",
            "message=&lt;1&gt;;error=<2>;info=3;",
        ),
        ("{% for c, m in get_flashed_messages(true) %}{{ c }} {% endfor %}", "message error info "),
        ("{% for m in get_flashed_messages(category_filter=['error', 'info']) %}{{ m }}{% endfor %}", "<2>3"),
        ("{% for c, m in get_flashed_messages(true, ['error']) %}{{ c }}{{ m }}{% endfor %}", "error<2>"),
    ] {
        let mut app = App::new("templates");
        app.config_mut().set("SECRET_KEY", "dev");
        app.get("/", move || render_template_string(template, context! {})).endpoint("index");
        let client = app.test_client();
        let data = SessionData::from_tagged_json(json).unwrap();
        client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
        let response = client.get("/");
        assert_eq!(response.text(), wanted, "{template}: {:?}", response.error());
        assert_eq!(response.header("vary"), Some("Cookie"), "{template}");
        assert_eq!(response.header("set-cookie").is_some(), template.contains("flashed"), "{template}");
    }
}

#[cfg(feature = "templates")]
#[test]
fn markup_stays_markup() {
    use dewar::signals::MESSAGE_FLASHED;
    use dewar::{Markup, context, render_template_string};

    let mut app = app();
    app.get("/flash", || {
        flash(Markup::from("<b>&amp;</b>"))?;
        // What looks like a tag is text all the same.
        flash_with(String::from("<i>"), " m")
    })
    .endpoint("flash");
    app.get("/page", || {
        render_template_string("{{ get_flashed_messages(true) }} {{ get_flashed_messages()|join }}", context! {})
    })
    .endpoint("page");
    let service = app.into_service().unwrap();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = told.clone();
    let _connection = MESSAGE_FLASHED.connect_to(service.site(), move |_, flashing| {
        heard.lock().unwrap().push((flashing.message.clone(), flashing.markup))
    });
    let client = dewar::TestClient::new(service);
    client.get("/flash");
    assert_eq!(*told.lock().unwrap(), [("<b>&amp;</b>".to_owned(), true), ("<i>".to_owned(), false)]);
    let data = SessionSerializer::new("dev").loads(&client.cookie("session").unwrap(), DAY, SystemTime::now()).unwrap();
    assert_eq!(data.to_tagged_json(), r#"{"_flashes":[{" t":["message",{" m":"<b>&amp;</b>"}]},{" t":[" m","<i>"]}]}"#);
    let page = client.get("/page").text();
    assert!(page.ends_with(" <b>&amp;</b>&lt;i&gt;"), "{page}");
}

#[test]
fn messages_of_some_categories() {
    let mut app = app();
    app.get("/flash", || {
        for (message, category) in [("1", "message"), ("2", "error"), ("3", "info"), ("4", "error")] {
            flash_with(message, category)?;
        }
        Ok::<_, dewar::Error>(())
    })
    .endpoint("flash");
    app.get("/show", || {
        let show = |flashes: Vec<Flashed>| flashes.iter().map(ToString::to_string).collect::<String>();
        let none: [&str; 0] = [];
        [
            show(get_flashed_messages_with(["error"])),
            show(get_flashed_messages_with(["info", "message"])),
            show(get_flashed_messages_with(["nothing"])),
            show(get_flashed_messages_with(none)),
            show(get_flashed_messages()),
        ]
        .join(" ")
    })
    .endpoint("show");
    let client = app.test_client();
    client.get("/flash");
    assert_eq!(client.get("/show").text(), "24 13  1234 1234");
    assert_eq!(client.cookie("session"), None, "all are taken out, whatever was asked for");
}
