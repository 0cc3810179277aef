//! Commands of the app's own: what `program NAME …` does beside serving.

use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use clap::{Arg, ArgMatches};

use super::App;
use super::blueprint::{Blueprint, Registration};
use super::scaffold::{Mistake, Scaffold};
use crate::error::{Error, Result};

type Run = Box<dyn Fn(&Invocation) -> Result<u8> + Send + Sync>;

/// A command as it was registered.
pub(crate) struct CommandDef {
    /// Its name, its description and its arguments.
    pub(crate) clap: clap::Command,
    run: Run,
    at: &'static Location<'static>,
}

impl CommandDef {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<u8> {
        (self.run)(invocation)
    }
}

/// A command of a frozen app, or of one that is about to be.
#[derive(Clone)]
pub(crate) struct Listed {
    /// The group that it is in; none for one that stands for itself.
    pub(crate) group: Option<String>,
    pub(crate) def: Arc<CommandDef>,
}

/// The names that the command line has itself.
const OWN: [&str; 3] = ["run", "routes", "help"];

impl Scaffold {
    /// Adds a command to the app's own command line (Flask's `@app.cli.command`): `program NAME` runs it, inside of the
    /// app's context, and `program --help` lists it with what `about` says. It writes by [`Invocation::echo`], and may
    /// return nothing, an exit code, or a `Result` of these; an error is told and ends the program with 1.
    ///
    /// A blueprint's commands are in a group of its name, `program BLUEPRINT NAME`, unless
    /// [`cli_group`](Blueprint::cli_group) says otherwise. Needs the feature `cli`.
    ///
    /// ```
    /// use dewar::cli::clap::{Arg, value_parser};
    /// use dewar::{App, current_app};
    ///
    /// let mut app = App::new("shop");
    /// app.command("greet", "Says hello.", |args| {
    ///     let name: &String = args.get_one("name").unwrap();
    ///     for _ in 0..*args.get_one::<u8>("times").unwrap() {
    ///         args.echo(format!("{}: hello, {name}", current_app().name()));
    ///     }
    /// })
    /// .arg(Arg::new("name").required(true))
    /// .arg(Arg::new("times").long("times").default_value("1").value_parser(value_parser!(u8)));
    ///
    /// let result = app.into_service()?.test_cli_runner().invoke(["greet", "ada", "--times", "2"]);
    /// assert_eq!(result.output(), "shop: hello, ada\nshop: hello, ada\n");
    /// # Ok::<(), dewar::SetupErrors>(())
    /// ```
    ///
    /// One that uses `?` is best a function of its own, which says of what its `Result` is; the compiler asks for that
    /// in a closure, too, whose last line then is `Ok::<_, dewar::Error>(())`:
    ///
    /// ```
    /// use dewar::cli::Invocation;
    /// use dewar::{App, Result};
    ///
    /// fn init_db(args: &Invocation) -> Result<()> {
    ///     std::fs::write(std::env::temp_dir().join("shop.tables"), "")?;
    ///     args.echo("Initialized the database.");
    ///     Ok(())
    /// }
    ///
    /// let mut app = App::new("shop");
    /// app.command("init-db", "Makes the tables.", init_db);
    /// let result = app.into_service()?.test_cli_runner().invoke(["init-db"]);
    /// assert_eq!((result.exit_code(), result.output()), (0, "Initialized the database.\n"));
    /// # Ok::<(), dewar::SetupErrors>(())
    /// ```
    #[track_caller]
    pub fn command<O: Outcome>(
        &mut self,
        name: &str,
        about: &str,
        run: impl Fn(&Invocation) -> O + Send + Sync + 'static,
    ) -> CommandMut<'_> {
        self.commands.push(Arc::new(CommandDef {
            clap: clap::Command::new(name.to_owned()).about(about.to_owned()),
            run: Box::new(move |invocation| run(invocation).exit_code()),
            at: Location::caller(),
        }));
        let def = Arc::get_mut(self.commands.last_mut().expect("one was just pushed"));
        CommandMut { def: def.expect("nobody else has it yet") }
    }
}

/// A command just registered, to say more of.
pub struct CommandMut<'a> {
    def: &'a mut CommandDef,
}

impl CommandMut<'_> {
    /// Takes an argument or an option. clap parses it to the type that its `value_parser` says, and tells whoever
    /// gives another.
    pub fn arg(self, arg: impl Into<Arg>) -> Self {
        self.configure(|command| command.arg(arg))
    }

    /// Says anything of the command that clap knows: aliases, a long description, groups of arguments.
    pub fn configure(self, change: impl FnOnce(clap::Command) -> clap::Command) -> Self {
        self.def.clap = change(std::mem::take(&mut self.def.clap));
        self
    }
}

impl fmt::Debug for CommandMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CommandMut").field(&self.def.clap.get_name()).finish()
    }
}

/// A command that runs: its arguments, by clap's [`ArgMatches`], and where it writes.
pub struct Invocation {
    matches: ArgMatches,
    /// What a test's command writes; otherwise it goes to the standard streams.
    captured: Option<RefCell<Vec<u8>>>,
}

impl Invocation {
    pub(crate) fn new(matches: ArgMatches, captured: bool) -> Invocation {
        Invocation { matches, captured: captured.then(RefCell::default) }
    }

    /// Writes a line to standard output (click's `echo`); tests read it from
    /// [`CliResult::output`](crate::cli::CliResult::output). When nobody reads on, as after `| head`, nothing happens.
    pub fn echo(&self, line: impl fmt::Display) {
        self.line(line, std::io::stdout());
    }

    /// Writes a line to standard error; tests find it in the output, too.
    pub fn echo_err(&self, line: impl fmt::Display) {
        self.line(line, std::io::stderr());
    }

    fn line(&self, line: impl fmt::Display, mut stream: impl Write) {
        let line = format!("{line}\n");
        match &self.captured {
            Some(captured) => captured.borrow_mut().extend(line.into_bytes()),
            None => drop(stream.write_all(line.as_bytes()).and_then(|()| stream.flush())),
        }
    }

    pub(crate) fn into_output(self) -> String {
        let bytes = self.captured.map(RefCell::into_inner).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Deref for Invocation {
    type Target = ArgMatches;

    fn deref(&self) -> &ArgMatches {
        &self.matches
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Invocation").field(&self.matches).finish()
    }
}

/// What a command may come to.
pub trait Outcome {
    /// The program's exit code: 0 for all is well.
    ///
    /// # Errors
    /// The command's own.
    fn exit_code(self) -> Result<u8>;
}

impl Outcome for () {
    fn exit_code(self) -> Result<u8> {
        Ok(0)
    }
}

impl Outcome for u8 {
    fn exit_code(self) -> Result<u8> {
        Ok(self)
    }
}

impl<O: Outcome, E: Into<Error>> Outcome for std::result::Result<O, E> {
    fn exit_code(self) -> Result<u8> {
        self.map_err(Into::into)?.exit_code()
    }
}

/// Where a blueprint's commands are.
#[derive(Debug, Default, Clone)]
pub(super) enum CliGroup {
    /// In a group of the blueprint's name.
    #[default]
    Own,
    /// Among the app's.
    Apps,
    Named(String),
}

impl From<Option<&str>> for CliGroup {
    fn from(name: Option<&str>) -> CliGroup {
        name.map_or(CliGroup::Apps, |name| CliGroup::Named(name.to_owned()))
    }
}

impl Blueprint {
    /// Puts its commands into the group of this name, or with `None` among the app's own; otherwise they are in one of
    /// the blueprint's name. Needs the feature `cli`.
    pub fn cli_group<'a>(mut self, group: impl Into<Option<&'a str>>) -> Blueprint {
        self.cli_group = group.into().into();
        self
    }
}

impl Registration {
    /// As [`Blueprint::cli_group`], in place of what that has said.
    pub fn cli_group<'a>(&mut self, group: impl Into<Option<&'a str>>) -> &mut Self {
        self.blueprint.cli_group = group.into().into();
        self
    }
}

impl App {
    /// Its commands and its blueprints', and what is wrong with their names.
    pub(crate) fn commands(&self) -> Vec<Listed> {
        let mut listed = Vec::new();
        collect(&self.scaffold, "", None, &mut listed);
        listed
    }
}

fn collect(scaffold: &Scaffold, name: &str, group: Option<&str>, into: &mut Vec<Listed>) {
    let own = scaffold.commands.iter();
    into.extend(own.map(|def| Listed { group: group.map(str::to_owned), def: Arc::clone(def) }));
    for Registration { blueprint, .. } in &scaffold.blueprints {
        let full = if name.is_empty() { blueprint.name.clone() } else { format!("{name}.{}", blueprint.name) };
        let group = match &blueprint.cli_group {
            CliGroup::Own => Some(full.as_str()),
            CliGroup::Apps => None,
            CliGroup::Named(group) => Some(group.as_str()),
        };
        collect(&blueprint.scaffold, &full, group, into);
    }
}

/// Two commands of one name in one place, and those that would hide one of Dewar's.
pub(super) fn mistakes(listed: &[Listed]) -> Vec<Mistake> {
    let mut found = Vec::new();
    for (i, one) in listed.iter().enumerate() {
        let name = one.def.clap.get_name();
        let whole = one.group.as_ref().map_or_else(|| name.to_owned(), |group| format!("{group} {name}"));
        let first = whole.split(' ').next().unwrap_or_default();
        let what = if OWN.contains(&first) {
            format!("the command `{whole}` would hide the `{first}` that every app has: give it another name")
        } else if let Some(other) =
            listed[..i].iter().find(|other| other.group == one.group && other.def.clap.get_name() == name)
        {
            format!("there is a command `{whole}` already, registered at {}", other.def.at)
        } else if let Some(other) =
            listed.iter().find(|other| one.group.is_none() && other.group.as_deref() == Some(name))
        {
            format!("the command `{name}` has the name of a group, which the command at {} is in", other.def.at)
        } else if name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace) {
            format!("a command cannot be called {name:?}: take letters, digits and dashes")
        } else {
            continue;
        };
        found.push(Mistake { at: one.def.at, what });
    }
    found
}
