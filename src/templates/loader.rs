//! Where templates come from: the program itself, then folders.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, TemplateSource};

use super::{Folder, context_free};

/// Adds a template that is part of the program.
pub(super) fn add(env: &mut Environment<'static>, name: &'static str, text: &'static str) -> Result<(), Error> {
    match read_as(Cow::Borrowed(text), env) {
        Cow::Borrowed(text) => env.add_template(name, text),
        Cow::Owned(text) => env.add_template_owned(name, text),
    }
}

/// Has templates found in the folders, the first that has one of that name.
pub(super) fn install(env: &mut Environment<'static>, folders: Vec<Folder>, explain: bool) {
    let syntax = env.syntax().clone();
    env.set_loader(move |name| {
        let found = find(&folders, name, &syntax);
        if explain {
            explain_to_log(&folders, name, &found);
        }
        Ok(found?.map(|(_, source)| source))
    });
}

/// The number of the folder that has it, and what it has.
type Found = Option<(usize, TemplateSource)>;

fn find(folders: &[Folder], name: &str, syntax: &SyntaxConfig) -> Result<Found, Error> {
    for (i, folder) in folders.iter().enumerate() {
        if let Some(source) = read(&folder.path, name, syntax)? {
            return Ok(Some((i, source)));
        }
    }
    Ok(None)
}

fn read(folder: &Path, name: &str, syntax: &SyntaxConfig) -> Result<Option<TemplateSource>, Error> {
    let Some(path) = below(folder, name) else { return Ok(None) };
    // Before it is read: a change in between is seen at the next look.
    let Some(stamp) = stamp(&path) else { return Ok(None) };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let source = TemplateSource::new(context_free::rewritten(lines(Cow::Owned(text)), syntax));
            Ok(Some(source.with_uptodate_check(move || self::stamp(&path) == Some(stamp))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let what = format!("the template {} cannot be read", path.display());
            Err(Error::new(ErrorKind::InvalidOperation, what).with_source(error))
        }
    }
}

/// What changes when a file does; `None` for what is no file.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The path of a template below the folder. Names are divided by slashes on every system, and cannot lead out.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part if part.contains(['\\', '\0']) || (cfg!(windows) && part.contains(':')) => return None,
            part => path.push(part),
        }
    }
    Some(path)
}

/// A template's text as Jinja reads it.
pub(super) fn read_as<'a>(text: Cow<'a, str>, env: &Environment<'_>) -> Cow<'a, str> {
    context_free::rewritten(lines(text), env.syntax())
}

/// As Jinja has it, every line of a page ends with `\n`.
fn lines(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => text,
    }
}

/// What `EXPLAIN_TEMPLATE_LOADING` asks for.
fn explain_to_log(folders: &[Folder], name: &str, found: &Result<Found, Error>) {
    let mut text = format!("Looking for the template {name:?}:");
    let last = match found {
        Ok(Some((i, _))) => *i,
        _ => folders.len(),
    };
    for (i, folder) in folders.iter().enumerate().take(last + 1) {
        let says = if i == last { "found" } else { "not there" };
        text.push_str(&format!("\n  {}. {}'s folder {}: {says}", i + 1, folder.whose, folder.path.display()));
    }
    match found {
        Ok(Some(_)) => {}
        Ok(None) => text.push_str("\n  It is in none of them. Is the blueprint that has it registered?"),
        Err(error) => text.push_str(&format!("\n  {error}")),
    }
    log::info!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out() {
        let folder = Path::new("t");
        for (name, path) in [
            ("a.html", Some("t/a.html")),
            ("sub/a.html", Some("t/sub/a.html")),
            ("/etc/passwd", Some("t/etc/passwd")),
            ("./a//b", Some("t/a/b")),
            (".hidden", Some("t/.hidden")),
            ("..a", Some("t/..a")),
            ("..", None),
            ("../a", None),
            ("a/../../b", None),
            ("a\\..\\b", None),
            ("a\0b", None),
        ] {
            assert_eq!(below(folder, name), path.map(PathBuf::from), "{name:?}");
        }
    }

    #[test]
    fn line_ends_are_one() {
        assert_eq!(lines("a\r\nb\rc\n".into()), "a\nb\nc\n");
        assert!(matches!(lines("a\nb".into()), Cow::Borrowed(_)));
    }
}
