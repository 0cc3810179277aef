use dewar::minijinja::Value;
use dewar::{App, Request, Result, context, g, json, render, render_template_string};

fn values() -> Value {
    let people = json!([
        { "name": "Ada", "group": "x", "age": 36 },
        { "name": "Bob", "group": "y", "age": 20 },
        { "name": "Cid", "group": "x", "age": 5 },
    ]);
    context! {
        name => "Ada <b>",
        numbers => json!([3, 1, 2]),
        words => json!(["b", "a", "C", "a"]),
        user => json!({ "name": "Ada", "age": 36 }),
        people,
        empty => json!([]),
        none => (),
        yes => true,
        no => false,
        pi => 3.25,
        n => 42,
        zero => 0,
        text => "hello wide world",
        html => Value::from_safe_string("<i>safe</i>".into()),
        quotes => "\"double\" 'single' & <tag>",
        unicode => "caf\u{e9} \u{2603}",
        lines => "one\ntwo\nthree",
    }
}

fn string(request: Request) -> Result<String> {
    g().set("word", "from g");
    let source = String::from_utf8(request.data()?.to_vec())?;
    render_template_string(&source, values())
}

pub(crate) fn app() -> App {
    let mut app = crate::app("templates");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.config_mut().set("SITE_NAME", "Parity");
    app.post("/string", string).endpoint("string");
    app.get("/file/<path:name>", |name: String| render(&name, values())).endpoint("file");
    app.get("/page/<int:n>", |n: i64| n.to_string()).endpoint("page");
    app
}
