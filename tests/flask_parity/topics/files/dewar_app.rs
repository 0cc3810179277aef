use std::time::Duration;

use dewar::{App, Request, Response, Result, SendFile, send_file_with, send_from_directory};

#[allow(clippy::needless_update, reason = "these are all fields now, and need not be")]
fn send(name: String, request: Request) -> Result<Response> {
    let args = request.args();
    let options = SendFile {
        as_attachment: args.contains("attachment"),
        download_name: args.get("name").map(str::to_owned),
        mimetype: args.get("type").map(str::to_owned),
        max_age: args.get_as("age").map(Duration::from_secs),
        ..SendFile::default()
    };
    send_file_with(format!("static/{name}"), &options)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("files");
    app.get("/send/<path:name>", send);
    app.get("/from/<path:name>", |name: String| send_from_directory("files", &name));
    app
}
