//! What a developer sees of an error that nothing handled, with `DEBUG`: the error and its causes, the source lines (a template's too), how
//! the program came there, and the request.
//!
//! With `DEBUG` this is shown to whoever asks, so that setting is for development only. Nothing secret is on it all the
//! same: no configuration, no environment, and of cookies, credentials, and fields named like passwords only the names.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::guarded::Panicked;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::response::{Response, escape_html};

/// How many lines of source are shown before and after the one that matters.
const AROUND: usize = 4;
/// A source file that is larger is not read.
const LARGEST: u64 = 4 << 20;

/// The page, for browsers as HTML and for others as text.
pub(super) fn page(ctx: &Ctx, error: &Error) -> Response {
    let shown = Shown::of(ctx, error);
    let wants_html = ctx.request().header("accept").is_some_and(|accept| accept.contains("text/html"));
    let response = if wants_html { Response::html(shown.html()) } else { Response::text(shown.text()) };
    response.with_status(500)
}

/// A line of the program's source, or of a template's.
struct Place {
    file: String,
    line: usize,
    /// The lines around it, where the source is there.
    source: Vec<(usize, String)>,
}

/// A step of the backtrace.
struct Frame {
    function: String,
    place: Option<Place>,
    /// Whether it is the program's own, and neither the framework's nor another library's.
    own: bool,
}

struct Shown {
    title: String,
    causes: Vec<String>,
    /// The line of a template that it is about.
    template: Option<Place>,
    place: Option<Place>,
    frames: Vec<Frame>,
    /// Tables of names and values.
    request: Vec<(&'static str, Vec<(String, String)>)>,
}

impl Shown {
    fn of(ctx: &Ctx, error: &Error) -> Shown {
        let mut causes = Vec::new();
        let mut cause = error.source().source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let roots = roots(ctx);
        let seen = error.downcast_ref::<Panicked>().and_then(|panicked| panicked.seen.as_ref());
        let backtrace = seen.map(|seen| &seen.backtrace).or(error.backtrace());
        let (file, line) = match seen.and_then(|seen| split_place(&seen.place)) {
            Some((file, line)) => (file.to_owned(), line),
            None => (error.at().file().to_owned(), error.at().line() as usize),
        };
        Shown {
            title: error.to_string(),
            causes,
            template: template_place(error),
            place: Some(place(&roots, file, line)),
            frames: backtrace.map(|backtrace| frames(&roots, &backtrace.to_string())).unwrap_or_default(),
            request: request(ctx),
        }
    }

    fn text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for cause in &self.causes {
            let _ = writeln!(out, "  caused by: {cause}");
        }
        if let Some(place) = &self.template {
            let _ = write!(out, "\nin the template {}:{}\n{}", place.file, place.line, place.text());
        }
        if let Some(place) = &self.place {
            let _ = write!(out, "\nat {}:{}\n{}", place.file, place.line, place.text());
        }
        let own: Vec<_> = self.frames.iter().filter(|frame| frame.own).collect();
        if !own.is_empty() {
            out.push_str("\ncalled by (the innermost first):\n");
        }
        for frame in own {
            let _ = match &frame.place {
                Some(place) => writeln!(out, "  {}\n    at {}:{}", frame.function, place.file, place.line),
                None => writeln!(out, "  {}", frame.function),
            };
        }
        for (title, rows) in &self.request {
            let _ = write!(out, "\n{title}:\n");
            for (name, value) in rows {
                let _ = writeln!(out, "  {name}: {value}");
            }
        }
        out.push_str("\nThis is shown because the app's DEBUG is set.\n");
        out
    }

    fn html(&self) -> String {
        let title = escape_html(&self.title);
        let mut out = format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n\
             <title>500 {title}</title>\n<style>{STYLE}</style>\n<main>\n<h1>{title}</h1>\n"
        );
        for cause in &self.causes {
            let _ = writeln!(out, "<p class=cause>caused by: {}</p>", escape_html(cause));
        }
        for place in self.template.iter().chain(&self.place) {
            out.push_str(&place.html());
        }
        if !self.frames.is_empty() {
            out.push_str("<h2>How the program came there, the innermost call first</h2>\n");
        }
        for group in self.frames.chunk_by(|a, b| a.own == b.own) {
            if !group[0].own {
                let n = group.len();
                let _ = writeln!(out, "<details><summary>{n} of the framework and libraries</summary>");
            }
            for frame in group {
                let _ = writeln!(out, "<p class=frame><code>{}</code></p>", escape_html(&frame.function));
                if let Some(place) = &frame.place {
                    out.push_str(&place.html());
                }
            }
            if !group[0].own {
                out.push_str("</details>\n");
            }
        }
        for (title, rows) in &self.request {
            let _ = writeln!(out, "<h2>{title}</h2>\n<table>");
            for (name, value) in rows {
                let _ = writeln!(out, "<tr><th>{}</th><td>{}</td></tr>", escape_html(name), escape_html(value));
            }
            out.push_str("</table>\n");
        }
        out.push_str("<footer>This page is shown because the app's DEBUG is set.</footer>\n</main>\n");
        out
    }
}

impl Place {
    fn text(&self) -> String {
        let mut out = String::new();
        for (n, line) in &self.source {
            let _ = writeln!(out, "{} {n:>5} | {line}", if *n == self.line { '>' } else { ' ' });
        }
        out
    }

    fn html(&self) -> String {
        let mut out = format!("<p class=place>{}:{}</p>\n", escape_html(&self.file), self.line);
        if !self.source.is_empty() {
            out.push_str("<pre>");
            for (n, line) in &self.source {
                let line = format!("{n:>5}  {}", escape_html(line));
                let _ = if *n == self.line { writeln!(out, "<mark>{line}</mark>") } else { writeln!(out, "{line}") };
            }
            out.push_str("</pre>\n");
        }
        out
    }
}

/// Where the program's sources may be: paths in it are relative to where it was built.
fn roots(ctx: &Ctx) -> Vec<PathBuf> {
    let mut roots = vec![PathBuf::new(), ctx.site().root_path().to_owned()];
    roots.extend(std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from));
    roots
}

fn place(roots: &[PathBuf], file: String, line: usize) -> Place {
    let source = roots.iter().find_map(|root| source(&root.join(&file), line)).unwrap_or_default();
    Place { file, line, source }
}

fn source(path: &Path, line: usize) -> Option<Vec<(usize, String)>> {
    if path.extension()? != "rs" || fs::metadata(path).ok()?.len() > LARGEST {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let first = line.saturating_sub(AROUND).max(1);
    let lines = text.lines().enumerate().map(|(i, text)| (i + 1, text.to_owned()));
    Some(lines.skip(first - 1).take_while(|(n, _)| *n <= line + AROUND).collect())
}

#[cfg(feature = "templates")]
fn template_place(error: &Error) -> Option<Place> {
    let crate::templates::TemplateLine { template, line, source } = crate::templates::TemplateLine::of(error, AROUND)?;
    Some(Place { file: template, line, source })
}

#[cfg(not(feature = "templates"))]
fn template_place(_error: &Error) -> Option<Place> {
    None
}

/// `file:line:column` taken apart.
fn split_place(place: &str) -> Option<(&str, usize)> {
    let mut parts = place.rsplitn(3, ':');
    let _column = parts.next()?;
    let line = parts.next()?.parse().ok()?;
    Some((parts.next()?, line))
}

/// Reads what a [`Backtrace`](std::backtrace::Backtrace) prints, the only thing that it gives away: for each frame
/// `  N: function`, then, where it is known, `at file:line:column`.
fn frames(roots: &[PathBuf], printed: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    for line in printed.lines().map(str::trim) {
        if let Some(at) = line.strip_prefix("at ") {
            if let (Some(frame), Some((file, line))) = (frames.last_mut(), split_place(at)) {
                frame.own = is_own(&frame.function, file, roots);
                let file = file.strip_prefix("./").unwrap_or(file);
                frame.place = Some(if frame.own {
                    place(roots, file.to_owned(), line)
                } else {
                    Place { file: file.to_owned(), line, source: Vec::new() }
                });
            }
        } else if let Some((n, function)) = line.split_once(": ")
            && n.bytes().all(|b| b.is_ascii_digit())
        {
            frames.push(Frame { function: function.to_owned(), place: None, own: false });
        }
    }
    // What is outside of the outermost call of the program's own is the server's.
    let last = frames.iter().rposition(|frame| frame.own).map_or(frames.len(), |last| last + 1);
    frames.truncate(last);
    frames
}

/// The program's own sources are below the folder that it runs in (printed as `./…`) or was built in.
fn is_own(function: &str, file: &str, roots: &[PathBuf]) -> bool {
    let below = |root: &PathBuf| !root.as_os_str().is_empty() && Path::new(file).starts_with(root);
    let here = file.starts_with("./") || roots.iter().any(below);
    // The C library's files have such names, too.
    let library = file.contains("/.cargo/") || file.contains("/rustc/") || !file.ends_with(".rs");
    let framework = ["dewar::", "<dewar::"].iter().any(|start| function.starts_with(start));
    // Of its inner calls, which a compiler may have left without a path, only the file tells.
    let inside = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let framework = framework
        || function.contains(" as dewar::")
        || std::path::absolute(file).is_ok_and(|file| file.starts_with(inside));
    here && !library && !framework
}

/// The request, without what is secret in it.
fn request(ctx: &Ctx) -> Vec<(&'static str, Vec<(String, String)>)> {
    let request = ctx.request();
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    // A secret in the path is one of the rule's variables.
    let secret = ctx.view_arg_names().iter().any(|name| is_secret(name));
    let path = if secret { "(not shown)".to_owned() } else { request.path().to_owned() };
    let mut tables = vec![(
        "Request",
        vec![
            ("method".to_owned(), request.method().to_string()),
            ("path".to_owned(), path),
            ("rule".to_owned(), text(ctx.url_rule())),
            ("endpoint".to_owned(), text(ctx.endpoint())),
        ],
    )];
    let shown = |name: &str, value: String| {
        let value = if is_secret(name) { "(not shown)".to_owned() } else { value };
        (name.to_owned(), value)
    };
    let arguments = ctx.view_arg_names().iter().enumerate();
    let arguments = arguments.filter_map(|(i, name)| Some(shown(name, ctx.view_arg(i)?.to_string()))).collect();
    let query = request.args().iter().map(|(name, value)| shown(name, value.to_owned())).collect();
    let cookies = request.cookies();
    let cookies = cookies.iter().map(|(name, _)| (name.to_owned(), "(not shown)".to_owned())).collect();
    let headers = request.headers().iter().filter(|(name, _)| *name != http::header::COOKIE);
    let headers = headers.map(|(name, value)| {
        let (name, value) = shown(name.as_str(), String::from_utf8_lossy(value.as_bytes()).into());
        match value.split_once('?') {
            // The page before may be this one, and its query hold what is not shown of this one's.
            _ if secret && name == "referer" => (name, "(not shown)".to_owned()),
            Some((page, _)) if name == "referer" => (name, format!("{page}?(not shown)")),
            _ => (name, value),
        }
    });
    for (title, rows) in
        [("View arguments", arguments), ("Query", query), ("Headers", headers.collect()), ("Cookies", cookies)]
    {
        tables.push((title, rows));
    }
    tables.retain(|(_, rows): &(_, Vec<_>)| !rows.is_empty());
    tables
}

/// Whether a header or a field is likely to hold what nobody else may see.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    const SIGNS: &[&str] = &[
        "authorization",
        "cookie",
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "key",
        "csrf",
        "credential",
        "session",
    ];
    SIGNS.iter().any(|sign| name.contains(sign))
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--mark:#fde68a}\
@media(prefers-color-scheme:dark){:root{--mark:#78350f}}\
body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem;border-left:.3rem solid #dc2626;padding-left:.8rem;overflow-wrap:anywhere;white-space:pre-wrap}\
h2{font-size:1.05rem;margin:2rem 0 .5rem}\
.cause{margin:.2rem 0 .2rem 1.1rem}.place{margin:.6rem 0 .2rem;opacity:.75;font:14px ui-monospace,monospace}\
.frame{margin:.8rem 0 0;overflow-wrap:anywhere}\
pre{margin:.2rem 0;padding:.6rem;border:1px solid var(--line);border-radius:.4rem;overflow:auto;font:14px/1.45 ui-monospace,monospace}\
mark{background:var(--mark);color:inherit;display:inline-block;min-width:100%}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:12rem;font-weight:600}\
details{margin:.8rem 0}summary{cursor:pointer;opacity:.75}footer{margin:3rem 0;opacity:.75}";
