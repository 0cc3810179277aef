//! `strftime` in templates: `strftime.json` has a format, and what Python 3.11 wrote by it (in the C locale) for each date.

use dewar::{App, context, render_template_string};
use serde_json::{Value, json};

use crate::support::{client, logged};

/// Writes the text by the format in a template; the status is with it.
fn written(date: &Value, format: &str) -> (u16, String) {
    let mut app = App::new("demo");
    let (date, format) = (date.clone(), format.to_owned());
    let view = move || render_template_string("{{ date.strftime(format) }}", context! { date, format });
    app.get("/", view).endpoint("index");
    let (response, records) = logged(|| client(app).get("/"));
    let text = if response.status() == 200 { response.text().to_string() } else { records.concat() };
    (response.status(), text)
}

#[test]
fn dates_are_written_as_by_python() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("strftime.json")).expect("it is JSON");
    let format = rows[0].as_str().unwrap().to_owned();
    let mut app = App::new("demo");
    let dates = Value::from(rows[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>());
    let template = "{% for date in dates %}{{ date.strftime(format) }};;{% endfor %}";
    app.get("/", move || render_template_string(template, context! { dates, format })).endpoint("index");
    let page = client(app).get("/");
    let mut seen = page.text().split(";;").map(str::to_owned).collect::<Vec<_>>().into_iter();
    for row in &rows[1..] {
        assert_eq!(seen.next().as_deref(), row[1].as_str(), "{}", row[0]);
    }
    assert_eq!((seen.next().as_deref(), seen.next()), (Some(""), None));
}

#[test]
fn dates_as_libraries_write_them() {
    for (text, expected) in [
        ("2026-03-04", "2026-03-04 00:00:00.000000 +none"),
        ("2026-03-04T05:06", "2026-03-04 05:06:00.000000 +none"),
        (" 2026-03-04 05:06:07 ", "2026-03-04 05:06:07.000000 +none"),
        // chrono: nanoseconds.
        ("2026-03-04T05:06:07.123456789Z", "2026-03-04 05:06:07.123456 +0000"),
        // time
        ("2026-03-04 5:06:07.5 +02:00:00", "2026-03-04 05:06:07.500000 +0200"),
        // jiff
        ("2026-03-04T05:06:07+01:00[Europe/Paris]", "2026-03-04 05:06:07.000000 +0100"),
        ("2026-03-04T05:06:07-0330", "2026-03-04 05:06:07.000000 -0330"),
        ("2024-02-29T00:00:00+05:30:15", "2024-02-29 00:00:00.000000 +053015"),
        // `dewar::http_date`
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37.000000 +0000"),
        ("31 Dec 1969 23:59:59 GMT", "1969-12-31 23:59:59.000000 +0000"),
        ("29 Feb 1904 00:00:00 GMT", "1904-02-29 00:00:00.000000 +0000"),
    ] {
        let (status, seen) = written(&json!(text), "%F %T.%f %z");
        let seen = if seen.ends_with(' ') { seen + "+none" } else { seen };
        assert_eq!((status, &*seen), (200, expected), "{text}");
    }
}

#[test]
fn what_is_no_date_is_told() {
    for text in [
        "",
        "soon",
        "2026",
        "2026-3-4",
        "2026-13-01",
        "2026-00-10",
        "2026-02-29",
        "0000-01-01",
        "2026-03-04T",
        "2026-03-04X05:06",
        "2026-03-04 24:00",
        "2026-03-04 23:60",
        "2026-03-04 23:59:60",
        "2026-03-04 23:59:59.",
        "2026-03-04 23:59:59+24:00",
        "2026-03-04 23:59:59+",
        "2026-03-04 23:59:59+01:",
        "2026-03-04 23:59:59[Europe/Paris]",
        "2026-03-04 23:59:59Z more",
        "２０２６-03-04",
    ] {
        let (status, told) = written(&json!(text), "%Y");
        assert_eq!(status, 500, "{text:?}: {told}");
        assert!(told.contains("is for dates") && told.contains("2026-01-31"), "{text:?}: {told}");
    }
    let (status, told) = written(&json!("x".repeat(100_000)), "%Y");
    assert_eq!(status, 500);
    assert!(told.contains(&format!("\"{}\" is none", "x".repeat(40))), "the text is cut");
}

#[test]
fn what_is_no_code_stays() {
    let (status, seen) = written(&json!("2026-03-04"), "%Q %-Q %é %% %-% 100% %Y%");
    assert_eq!((status, &*seen), (200, "%Q %-Q %é % % 100% 2026%"));
    assert_eq!(written(&json!("2026-03-04"), "%d.%m. %-d %"), (200, "04.03. 4 %".to_owned()));
}
