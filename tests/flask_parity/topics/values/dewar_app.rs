use std::collections::BTreeSet;

use dewar::{App, Request, Result};

fn values(request: Request) -> Result<String> {
    let combined = request.values()?;
    let names: BTreeSet<&str> = combined.iter().map(|(name, _)| name).collect();
    let lines = names.into_iter().map(|name| format!("{name}={}\n", combined.getlist(name).join("|")));
    Ok(lines.collect::<String>() + &format!("first: {}\n", combined.get("a").unwrap_or("none")))
}

pub(crate) fn app() -> App {
    let mut app = crate::app("values");
    app.route("/values", values).methods(["GET", "POST", "PUT", "DELETE"]);
    app
}
