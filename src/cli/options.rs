//! From what clap found to [`RunOptions`].

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;

use super::tree;
use crate::app::App;
use crate::config::load_env_file;
use crate::run::{BadOption, RunOptions, Said, debug_in};

/// The options of serving, and how clap calls them.
const VALUES: [&str; 9] = ["host", "port", "workers", "engine", "cert", "key", "debug", "reload", "access-log"];
const LISTS: [&str; 2] = ["extra-files", "exclude-patterns"];

/// From the environment, if it is to be asked, and then from arguments that are for serving alone.
pub(crate) fn parse_serving(args: Vec<String>, env: bool) -> Result<RunOptions, BadOption> {
    let matches = match tree::serving_only().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Err(told(&error)),
        Err(help) => help.exit(),
    };
    if let Some(path) = matches.get_one::<String>("env-file").filter(|_| env) {
        load_env_file(path.as_ref()).map_err(|error| BadOption(format!("--env-file: {error}")))?;
    }
    let (mut options, said) = if env { RunOptions::from_env_said()? } else { Default::default() };
    let said = said.or(take(&matches, &mut options)?);
    options.follow_debug(said, options.debug);
    options.certificate()?;
    Ok(options)
}

/// From the app's `SERVER_NAME` and `DEBUG`, the environment, the arguments before a command and those after `run`.
pub(super) fn resolve(matches: &ArgMatches, app: &mut App) -> Result<RunOptions, BadOption> {
    let (mut options, mut said) = RunOptions::from_env_said()?;
    for matches in [Some(matches), matches.subcommand_matches("run")].into_iter().flatten() {
        let more = take(matches, &mut options)?;
        if more.debug && !options.debug {
            // The environment's DEWAR_DEBUG does not count then.
            app.config_mut().set("DEBUG", false);
        }
        said = said.or(more);
    }
    if let Some((name, _)) = matches.subcommand().filter(|(name, _)| *name != "run") {
        let serving = VALUES.iter().chain(&LISTS).find(|id| **id != "debug" && is_said(matches, id));
        if let Some(id) = serving {
            return Err(BadOption(format!("--{id} is for serving, and `{name}` does not serve")));
        }
    }
    options.follow_server_name(app.config().get_str("SERVER_NAME"), said);
    options.follow_debug(said, options.debug || debug_in(app));
    options.certificate()?;
    Ok(options)
}

fn is_said(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Takes what the command line says, and tells what it does.
fn take(matches: &ArgMatches, options: &mut RunOptions) -> Result<Said, BadOption> {
    let mut said = Said::default();
    for id in VALUES {
        if let Some(text) = matches.get_one::<String>(id).filter(|_| is_said(matches, id)) {
            options.set(id, text).map_err(|wanted| BadOption::value(&format!("--{id}"), &wanted, text))?;
            said.add(id);
        }
    }
    for (id, opposite) in [("debug", "no-debug"), ("reload", "no-reload")] {
        if matches.get_flag(opposite) {
            options.set(id, "false").map_err(BadOption)?;
            said.add(id);
        }
    }
    for id in LISTS {
        if let Some(texts) = matches.get_many::<String>(id) {
            let all = texts.map(String::as_str).collect::<Vec<_>>().join(":");
            options.set(id, &all).map_err(BadOption)?;
        }
    }
    Ok(said)
}

/// clap's error in one line.
fn told(error: &clap::Error) -> BadOption {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let arg = text(ContextKind::InvalidArg).and_then(|arg| arg.split(' ').next()).unwrap_or_default();
    BadOption(match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
            let tip = text(ContextKind::SuggestedArg).map_or(String::new(), |tip| format!(", did you mean {tip}?"));
            format!("there is no option {arg}{tip}")
        }
        ErrorKind::InvalidValue | ErrorKind::NoEquals => format!("{arg} needs a value"),
        _ => {
            let all = error.render().to_string();
            all.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}
