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
