//! Requests that are made to be slow, or to be taken for something else.

use std::io::Read;

use dewar::{Body, BodyTooLarge, MultiDict};

#[test]
fn multidicts_with_many_names() {
    let query: String = (0..100_000).map(|n| format!("k{n}={n}&")).collect();
    let mut args = MultiDict::parse(&(query + "k7=again"));
    // Each of these was a walk over all pairs.
    for n in 0..100_000 {
        assert_eq!(args.get_as(&format!("k{n}")), Some(n));
    }
    assert_eq!(args.getlist("k7"), ["7", "again"]);
    assert!(!args.contains("k"));
    let same = args.clone();
    assert_eq!(same, args);
    args.push("k7", "and again");
    assert_eq!(args.getlist("k7"), ["7", "again", "and again"]);
    assert_ne!(same, args);
}

#[cfg(feature = "templates")]
#[test]
fn loops_over_many_names_in_templates() {
    use dewar::http::Method;
    use dewar::{App, Request, Service, context, render_template_string};

    let page = "{% for k in request[what] %}{{ k }}={{ request[what][k] }}\n{% endfor %}";
    let mut app = App::new("demo");
    app.route("/<what>", move |what: String| render_template_string(page, context! { what }))
        .methods([Method::GET, Method::POST]);
    let service = crate::support::service(app);
    let pairs: String = (0..20_000).map(|n| format!("k{n}={n}&k{n}=twice&")).collect();
    let wanted: String = (0..20_000).map(|n| format!("k{n}={n}\n")).collect();
    let form = Request::post("/form", pairs.clone()).with_header("content-type", "application/x-www-form-urlencoded");
    assert!(service.call(form).into_body().into_bytes().unwrap() == wanted);
    // What an engine lets through.
    let few: String = (0..5_000).map(|n| format!("k{n}={n}&")).collect();
    let page = service.call(Request::get(&format!("/args?{few}"))).into_body().into_bytes().unwrap();
    assert_eq!(page.iter().filter(|b| **b == b'\n').count(), 5_000);
    let cookies = Request::get("/cookies").with_header("cookie", &pairs.replace('&', "; "));
    assert!(service.call(cookies).into_body().into_bytes().unwrap() == wanted);
}

#[test]
fn a_body_over_its_limit_stays_so() {
    let mut body = Body::reader(std::io::repeat(b'x').take(100)).limited(10);
    let mut block = [0; 8];
    assert_eq!(body.read(&mut block).unwrap(), 8);
    for _ in 0..3 {
        assert!(BodyTooLarge::caused(&body.read(&mut block).unwrap_err()));
    }
    let body = Body::reader(std::io::repeat(b'x').take(100)).limited(99);
    assert!(BodyTooLarge::caused(&body.into_bytes().unwrap_err()));
    let body = Body::reader(std::io::repeat(b'x').take(100)).limited(100);
    assert_eq!(body.into_bytes().unwrap().len(), 100);
}

#[cfg(feature = "templates")]
#[test]
fn templates_that_ask_for_too_much_are_told() {
    use dewar::{App, context, render_template_string, request};

    let mut app = App::new("demo");
    app.get("/", || render_template_string(request().args().get("page").unwrap_or_default(), context! {}))
        .endpoint("index");
    app.config_mut().set("PROPAGATE_EXCEPTIONS", false);
    let client = crate::support::client(app);
    let rendered = |page: &str| client.request("GET", "/").query_string([("page", page)]).send();
    for (page, text) in [
        ("{{ [1]|batch(100000, 'x')|first|length }}", "100000"),
        ("{{ [1]|batch(200000)|first|length }}", "1"),
        ("{{ [1]|slice(100000)|length }}", "100000"),
        ("{{ ('%9000000d'|format(1))|length }}", "9000000"),
        ("{{ '{:>9000000}'.format(1)|length }}", "9000000"),
        ("{{ '99999999999 %d (99999999999) %%9'|format(5) }}", "99999999999 5 (99999999999) %9"),
        ("{{ '99999999999 %(a99999999)s'|format(a99999999=1) }}", "99999999999 1"),
        ("{{ '99999999999 {} {{99'.format(5) }}", "99999999999 5 {99"),
        ("{{ '\t\t'.expandtabs(5000000)|length }}", "10000000"),
    ] {
        let response = rendered(page);
        assert_eq!((response.status(), &*response.text()), (200, text), "{page}");
    }
    for (page, cure) in [
        ("{{ [1]|batch(200000, 'x') }}", "100,000 at most"),
        ("{{ [1]|slice(200000) }}", "100,000 at most"),
        ("{{ '%20000000d'|format(1) }}", "10000000 at most"),
        ("{{ '%%%-020000000d'|format(1) }}", "10000000 at most"),
        ("{{ '%.20000000f'|format(1.5) }}", "10000000 at most"),
        ("{{ '%(a1)20000000s'|format(a1=1) }}", "10000000 at most"),
        ("{{ ('%20000000d'|safe)|format(1) }}", "10000000 at most"),
        ("{{ '{:>20000000}'.format(1) }}", "10000000 at most"),
        ("{{ '{0:.20000000f}'.format(1.5) }}", "10000000 at most"),
        ("{{ ('{:20000000}'|safe).format(1) }}", "10000000 at most"),
        ("{{ '\t\t\t'.expandtabs(5000000) }}", "10 million at most"),
    ] {
        let (response, records) = crate::support::logged(|| rendered(page));
        assert_eq!(response.status(), 500, "{page}");
        assert!(records[0].contains(cure), "{page}: {records:?}");
    }
}

#[cfg(feature = "templates")]
#[test]
fn words_without_an_end_are_wrapped() {
    use dewar::{App, context, render_template_string};

    let mut app = App::new("demo");
    let page = "{{ text|wordwrap(50)|wordcount }}";
    app.get("/<word>", move |word: String| render_template_string(page, context! { text => word.repeat(4 << 20) }));
    let client = crate::support::client(app);
    // The rest of a word was copied for each line.
    for (word, lines) in [("a", 83_887), ("%3C", 0), ("-", 0)] {
        assert_eq!(client.get(&format!("/{word}")).text(), lines.to_string(), "{word}");
    }
}

#[cfg(feature = "templates")]
#[test]
fn lists_within_lists_are_printed_once() {
    use dewar::{App, context, render_template_string};

    // As deep as a JSON body may be: each level printed all that is in it anew, and that for each level above it.
    let deep = format!("{}\"{}\"{}", "{\"a\":[".repeat(60), "y".repeat(1 << 18), "]}".repeat(60));
    let value: dewar::serde_json::Value = dewar::serde_json::from_str(&deep).unwrap();
    let mut app = App::new("demo");
    app.get("/", move || {
        render_template_string("{{ v|pprint|length }} {{ v|string|length }}", context! { v => value.clone() })
    });
    let printed = (1 << 18) + 2 + 60 * "{'a': []}".len();
    assert_eq!(crate::support::client(app).get("/").text(), format!("{printed} {printed}"));
}
