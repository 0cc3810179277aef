//! The line of a template that an error is about.

use std::error::Error as StdError;
use std::fmt;

use minijinja::{Environment, Error};

use super::context_free::as_written;

/// Puts the line into the error's long form, below its message.
pub(super) fn shown(env: &Environment<'_>, error: Error, text: Option<&str>) -> Error {
    // An error in a template that another one includes, or extends, is the cause of the outer one's.
    let mut innermost: &Error = &error;
    while let Some(inner) = StdError::source(innermost).and_then(|source| source.downcast_ref::<Error>()) {
        innermost = inner;
    }
    // In debug mode the engine shows the outermost by itself, with what is around.
    if env.debug() && std::ptr::eq(innermost, &error) {
        return error;
    }
    let (Some(name), Some(number)) = (innermost.name(), innermost.line()) else { return error };
    let line_of = |text: &str| text.lines().nth(number.saturating_sub(1)).map(|line| as_written(line.trim_end()));
    let template;
    let text = match text {
        Some(text) if name == super::environment::STRING => Some(text),
        _ => {
            template = env.get_template(name).ok();
            template.as_ref().map(|template| template.source())
        }
    };
    // What cannot be read has no template: its text is not at hand.
    let Some(line) = text.and_then(line_of) else { return error };
    let place = format!("{name}:{number}");
    if StdError::source(&error).is_none() {
        return error.with_source(SourceLine { place, line, outer: None });
    }
    let at = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!(" (in {name}:{line})"),
        _ => String::new(),
    };
    let told = format!("{}{at}", error.detail().unwrap_or_default());
    Error::new(error.kind(), told).with_source(SourceLine { place, line, outer: Some(error) })
}

/// A line of a template, as the debug page shows it.
pub(crate) struct TemplateLine {
    pub(crate) template: String,
    /// From 1.
    pub(crate) line: usize,
    /// The lines around it, each with its number.
    pub(crate) source: Vec<(usize, String)>,
}

impl TemplateLine {
    /// Where an error came up, with up to `around` lines before and after: in the innermost template, where one includes
    /// or extends another. The engine keeps the text in debug mode only.
    pub(crate) fn of(error: &crate::error::Error, around: usize) -> Option<TemplateLine> {
        let mut found = None;
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error.source());
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<Error>()
                && let (Some(name), Some(line), Some(text)) = (error.name(), error.line(), error.template_source())
            {
                found = Some((name, line, text));
            }
            cause = error.source();
        }
        let (name, line, text) = found?;
        let first = line.saturating_sub(around).max(1);
        let lines = text.lines().enumerate().map(|(i, text)| (i + 1, as_written(text)));
        let source = lines.skip(first - 1).take_while(|(n, _)| *n <= line + around).collect();
        Some(TemplateLine { template: name.to_owned(), line, source })
    }
}

#[derive(Debug)]
struct SourceLine {
    place: String,
    line: String,
    /// The error whose message stands above: what is behind it comes below.
    outer: Option<Error>,
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.place, self.line)
    }
}

impl StdError for SourceLine {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.outer.as_ref().and_then(StdError::source)
    }
}
