//! The command line as clap knows it: what it takes, and what it says of itself.

use clap::{Arg, ArgAction, Command};

use crate::app::Listed;

const SERVING: &str = "Serving";
const DEVELOPMENT: &str = "Development";

const MORE: &str = "\
Each option can be given in the environment, too: DEWAR_HOST, DEWAR_PORT, DEWAR_WORKERS, DEWAR_ENGINE,
DEWAR_CERT, DEWAR_KEY, DEWAR_DEBUG=true, DEWAR_RELOAD=false, DEWAR_EXTRA_FILES, DEWAR_EXCLUDE_PATTERNS,
DEWAR_ACCESS_LOG; and DEWAR_LOG says what is logged: off, error, warn, info (each request too), debug or
trace. Files .dewarenv and .env give such variables (DEWAR_SKIP_DOTENV=1 for none); the real ones come first.
A socket that systemd passes (LISTEN_FDS) goes before host and port.";

/// All of it: options for serving, `run`, `routes` and the app's commands.
pub(super) fn tree(name: &str, version: Option<&str>, about: Option<&str>, listed: &[Listed]) -> Command {
    let dewar = concat!("dewar ", env!("CARGO_PKG_VERSION"));
    let version = version.map_or_else(|| dewar.to_owned(), |version| format!("{version} ({dewar})"));
    let about = about.unwrap_or("Serves this app. Without a command, as with `run`.");
    let mut tree = Command::new(name.to_owned())
        .version(version)
        .about(about.to_owned())
        .args(serving())
        .after_help(MORE)
        .args_override_self(true)
        .subcommand_value_name("COMMAND")
        .subcommand(Command::new("run").about("Serves the app").args(serving()).args_override_self(true).after_help(
            format!(
                "Examples:\n  run --debug\n  run --host 0.0.0.0 --port 8080 --access-log combined\n  \
                     run --host unix:/run/site.sock\n\n{MORE}"
            ),
        ))
        .subcommand(routes());
    for one in listed.iter().filter(|one| one.group.is_none()) {
        tree = tree.subcommand(one.def.clap.clone());
    }
    let mut groups: Vec<&str> = listed.iter().filter_map(|one| one.group.as_deref()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let commands = listed.iter().filter(|one| one.group.as_deref() == Some(group));
        tree = tree.subcommand(
            Command::new(group.to_owned())
                .about(format!("Commands of {group}"))
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(commands.map(|one| one.def.clap.clone())),
        );
    }
    tree
}

/// The options of serving alone, for programs that have others of their own.
pub(super) fn serving_only() -> Command {
    Command::new("run")
        .about("Serves this app.")
        .no_binary_name(true)
        .args(serving())
        .args_override_self(true)
        .after_help(MORE)
}

fn value(name: &'static str, what: &'static str, help: &'static str, heading: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(what).help(help).help_heading(heading)
}

/// A flag that may be said to be false, too; with its opposite, the later of the two counts.
fn flag(name: &'static str, opposite: &'static str, help: &'static str) -> [Arg; 2] {
    let yes = value(name, "true|false", help, DEVELOPMENT).num_args(0..=1).require_equals(true);
    let no = Arg::new(opposite).long(opposite).action(ArgAction::SetTrue).help_heading(DEVELOPMENT).hide(true);
    [yes.default_missing_value("true").overrides_with(opposite), no.overrides_with(name)]
}

fn serving() -> Vec<Arg> {
    let mut args = vec![
        value("host", "HOST", "The address to listen on [127.0.0.1], or unix:PATH", SERVING),
        value("port", "PORT", "The port [5000]; 0 takes a free one", SERVING).short('p'),
        value("workers", "MAX", "How many requests may be in handlers at once", SERVING),
        value("engine", "NAME", "What accepts and parses: native or tiny_http", SERVING),
        value("cert", "FILE", "The site's certificate (PEM), to serve https", SERVING),
        value("key", "FILE", "The certificate's private key (PEM)", SERVING),
        value(
            "access-log",
            "FORMAT",
            "A line for each request: off, dev, common, combined, json, or a template",
            SERVING,
        )
        .long_help(
            "A line for each request: off, dev, common, combined, json, or a template of one's own, such as\n\
                 '{peer} {method} {target} {status} {ms}'",
        ),
        value("env-file", "FILE", "Variables of the environment, after .dewarenv and .env", SERVING),
    ];
    args.extend(flag("debug", "no-debug", "Show errors in their pages, and reload; --no-debug for neither"));
    args.extend(flag("reload", "no-reload", "Build and start again when the code changes [as --debug]; --no-reload"));
    args.push(
        value("extra-files", "FILES", "More files and folders to watch, with `:` between", DEVELOPMENT)
            .action(ArgAction::Append),
    );
    args.push(
        value("exclude-patterns", "PATTERNS", "What not to watch, as */fixtures/*, with `:` between", DEVELOPMENT)
            .action(ArgAction::Append),
    );
    args
}

fn routes() -> Command {
    let sort = value("sort", "COLUMN", "What to sort by; match is the order of registration", "Options")
        .short('s')
        .default_value("endpoint")
        .value_parser(["endpoint", "methods", "domain", "rule", "match"]);
    let all = Arg::new("all-methods").long("all-methods").action(ArgAction::SetTrue).help("Show HEAD and OPTIONS, too");
    Command::new("routes").about("Lists the app's routes").arg(sort).arg(all)
}
