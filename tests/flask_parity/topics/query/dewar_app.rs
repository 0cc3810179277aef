use dewar::{App, Request, Response};

fn args(request: Request) -> Response {
    let values = request.args();
    let mut seen: Vec<&str> = Vec::new();
    let mut out = String::new();
    for (name, _) in values.iter() {
        if !seen.contains(&name) {
            seen.push(name);
            out += &format!("{name}={}\n", values.getlist(name).join("|"));
        }
    }
    Response::text(out)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("query");
    app.get("/args", args);
    app.get("/int", |request: Request| request.args().get_as::<i64>("n").unwrap_or(-1).to_string());
    app.get("/float", |request: Request| format!("{:.3}", request.args().get_as::<f64>("n").unwrap_or(-1.0)));
    app.get("/ints", |request: Request| {
        let numbers = request.args().getlist("n").into_iter().filter_map(|n| n.parse::<i64>().ok());
        format!("{:?}", numbers.collect::<Vec<_>>())
    });
    app.get("/raw", |request: Request| Response::text(request.query_string().to_owned()));
    app
}
