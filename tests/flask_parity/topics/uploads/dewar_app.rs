use dewar::{App, Request, Response, Result};

/// As Python shows a list of texts, as far as the cases go.
fn list(values: &[&str]) -> String {
    let quote = |text: &&str| {
        let inner = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        if inner.contains('\'') && !inner.contains('"') { format!("\"{inner}\"") } else { format!("'{inner}'") }
    };
    format!("[{}]", values.iter().map(quote).collect::<Vec<_>>().join(", "))
}

fn upload(request: Request) -> Result<Response> {
    let form = request.form()?;
    let mut told: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in form.fields.iter() {
        if !seen.contains(&name) {
            seen.push(name);
            told.push(format!("field {name}={}", list(&form.getlist(name))));
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for file in form.files.iter() {
        if !names.contains(&file.name()) {
            names.push(file.name());
        }
    }
    for name in names {
        for file in form.files.iter().filter(|file| file.name() == name) {
            let data: String = file.read()?.iter().map(|&byte| char::from(byte)).collect();
            let content_type = file.content_type().unwrap_or("None");
            told.push(format!("file {name}: {} ({content_type}) {}: {data}", file.filename(), file.len()));
        }
    }
    Ok(Response::text(told.join("\n")))
}

pub(crate) fn app() -> App {
    let mut app = crate::app("uploads");
    app.post("/upload", upload);
    app.post("/one", |request: Request| -> Result<String> {
        match request.form()?.file("file") {
            Some(file) => Ok(file.filename().to_owned()),
            None => dewar::abort!(400),
        }
    });
    app
}
