//! The command line: routes, commands of one's own, what is said of mistakes; and starting again when files change.

use dewar::cli::clap::{Arg, ArgAction, value_parser};
use dewar::cli::{CliResult, Invocation};
use dewar::{App, Blueprint, Error, current_app, g};

use crate::support::{mistakes, service};

fn invoke(app: App, args: &[&str]) -> CliResult {
    service(app).test_cli_runner().invoke(args.iter().copied())
}

fn shop() -> App {
    fn index() {}
    fn item(_id: i64) {}
    fn create() {}
    let mut app = App::new("shop");
    app.get("/items/<int:id>", item);
    app.get("/", index);
    app.route("/items", create).methods(["POST", "PUT"]);
    let mut admin = Blueprint::new("admin").url_prefix("/admin");
    admin.get("/", index);
    app.register_blueprint(admin);
    app
}

#[test]
#[cfg(feature = "static_files")]
fn routes_are_as_flask_prints_them() {
    // What `flask routes` prints for the same app, its blueprint registered last.
    let by_endpoint = "\
Endpoint     Methods    Rule                   
-----------  ---------  -----------------------
admin.index  GET        /admin/                
create       POST, PUT  /items                 
index        GET        /                      
item         GET        /items/<int:id>        
static       GET        /static/<path:filename>
";
    let result = invoke(shop(), &["routes"]);
    assert_eq!((result.output(), result.exit_code()), (by_endpoint, 0));
    let first = |args: &[&str]| {
        let lines = invoke(shop(), args).output().lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
        lines.iter().map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(first(&["routes", "--sort", "rule"]), ["index", "admin.index", "create", "item", "static"]);
    assert_eq!(first(&["routes", "-s", "methods"])[4], "create");
    assert_eq!(first(&["routes", "--sort=match"])[0..3], ["item", "index", "create"]);
    assert_eq!(first(&["routes", "--sort=domain"])[0..3], ["item", "index", "create"]);
    let all = invoke(shop(), &["routes", "--all-methods"]);
    assert!(all.output().contains("index        GET, HEAD, OPTIONS  /  "), "{}", all.output());
    let wrong = invoke(shop(), &["routes", "--sort", "x"]);
    assert_eq!(wrong.exit_code(), 2);
    assert!(wrong.output().contains("[possible values: endpoint, methods, domain, rule, match]"), "{}", wrong.output());
}

#[test]
fn routes_have_a_column_for_hosts_where_rules_have_some() {
    let mut app = App::new("shop");
    app.subdomain_matching(true).config_mut().set("SERVER_NAME", "shop.example");
    app.get("/", || "api").endpoint("api").subdomain("api");
    app.get("/", || "index").endpoint("index");
    let result = invoke(app, &["routes", "--sort=domain"]);
    let lines: Vec<_> = result.output().lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "Endpoint  Methods  Subdomain  Rule");
    assert!(lines.contains(&"api       GET      api        /"), "{lines:?}");
}

#[test]
fn a_command_runs_in_the_apps_context() {
    let mut app = App::new("shop");
    app.command("greet", "Says hello.", |args: &Invocation| {
        g().set("name", "x");
        args.echo(format!("{} {}", current_app().name(), g().get::<&str>("name").unwrap()));
        args.echo_err("done");
    });
    let result = invoke(app, &["greet"]);
    assert_eq!((result.output(), result.exit_code()), ("shop x\ndone\n", 0));
    assert!(result.error().is_none());
}

#[test]
fn arguments_have_types() {
    let app = || {
        let mut app = App::new("shop");
        app.command("add", "Adds.", |args: &Invocation| {
            let sum: i64 = args.get_many::<i64>("numbers").into_iter().flatten().sum();
            args.echo(if args.get_flag("double") { 2 * sum } else { sum });
        })
        .arg(Arg::new("numbers").num_args(1..).required(true).value_parser(value_parser!(i64)))
        .arg(Arg::new("double").long("double").action(ArgAction::SetTrue).help("Twice that."))
        .configure(|command| command.visible_alias("plus"));
        app
    };
    for (args, output, code) in [
        (&["add", "1", "2"][..], "3\n", 0),
        (&["plus", "1", "2"], "3\n", 0),
        (&["add", "--double", "4"], "8\n", 0),
        (&["add", "x"], "invalid value 'x'", 2),
        (&["add"], "required", 2),
        (&["add", "1", "--duoble"], "a similar argument exists: '--double'", 2),
        (&["ad"], "similar subcommand", 2),
        (&["add", "--help"], "Twice that.", 0),
        (&["--help"], "Adds.", 0),
        (&["--help"], "DEWAR_PORT", 0),
        (&["--version"], "dewar ", 0),
        (&["run"], "does not serve", 2),
        (&[], "does not serve", 2),
    ] {
        let result = invoke(app(), args);
        assert_eq!(result.exit_code(), code, "{args:?}: {}", result.output());
        assert!(result.output().contains(output), "{args:?}: {}", result.output());
    }
}

#[test]
fn a_command_may_fail() {
    let mut app = App::new("shop");
    app.command("seven", "", |_: &Invocation| 7);
    app.command("parse", "", |args: &Invocation| -> Result<u8, std::num::ParseIntError> {
        args.echo("before");
        "300".parse()
    });
    app.command("fail", "", |_: &Invocation| -> Result<(), Error> { Err(Error::msg("no such table")) });
    let runner = service(app).test_cli_runner();
    assert_eq!(runner.invoke(["seven"]).exit_code(), 7);
    let result = runner.invoke(["parse"]);
    assert_eq!((result.output(), result.exit_code()), ("before\n", 1));
    assert!(result.error().unwrap().to_string().contains("too large"));
    assert!(runner.invoke(["fail"]).error().unwrap().to_string().contains("no such table"));
}

#[test]
fn blueprints_have_groups() {
    let part = |name: &str| {
        let mut part = Blueprint::new(name);
        part.command("go", "Goes.", |args: &Invocation| args.echo("gone"));
        part
    };
    let mut outer = Blueprint::new("outer");
    outer.register_blueprint(part("inner"));
    let mut app = App::new("shop");
    app.register_blueprint(part("own"));
    app.register_blueprint(part("merged").cli_group(None));
    app.register_blueprint(part("named").cli_group("other"));
    app.register_blueprint(part("again")).name("late").cli_group("last");
    app.register_blueprint(outer);
    let runner = service(app).test_cli_runner();
    for args in [&["own", "go"][..], &["go"], &["other", "go"], &["last", "go"], &["outer.inner", "go"]] {
        let result = runner.invoke(args.iter().copied());
        assert_eq!((result.output(), result.exit_code()), ("gone\n", 0), "{args:?}");
    }
    for args in [&["named", "go"][..], &["merged", "go"], &["own"], &["late", "go"]] {
        assert_eq!(runner.invoke(args.iter().copied()).exit_code(), 2, "{args:?}");
    }
    assert!(runner.invoke(["own", "--help"]).output().contains("Goes."));
}

#[test]
fn names_of_commands_are_checked() {
    let mut app = App::new("shop");
    for name in ["twice", "twice", "routes", "run", "a b", "", "-x", "part"] {
        app.command(name, "", |_: &Invocation| ());
    }
    let mut part = Blueprint::new("part");
    part.command("go", "", |_: &Invocation| ());
    app.register_blueprint(part);
    let mut run = Blueprint::new("run");
    run.command("go", "", |_: &Invocation| ());
    app.register_blueprint(run);
    let found = mistakes(app);
    let says = [
        "a command `twice` already, registered at ",
        "the command `routes` would hide",
        "the command `run` would hide",
        "cannot be called \"a b\"",
        "cannot be called \"\"",
        "cannot be called \"-x\"",
        "the command `part` has the name of a group",
        "the command `run go` would hide",
    ];
    assert_eq!(found.len(), says.len(), "{found:#?}");
    for (message, says) in found.iter().zip(says) {
        assert!(message.contains("cli.rs:") && message.contains(says), "{message}");
    }
}

/// Processes that serve, by the tests' own program.
#[cfg(all(unix, any(feature = "static_files", feature = "templates", feature = "tiny_http")))]
mod processes {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::process::{Child, ChildStderr, Command, Stdio};
    use std::time::{Duration, Instant};

    use dewar::{App, RunOptions};

    use crate::support::Folder;

    #[test]
    #[ignore = "what the tests below run in a process of its own"]
    fn child() {
        let Ok(folder) = std::env::var("DEWAR_TEST_FOLDER") else { return };
        let folder = std::path::PathBuf::from(folder);
        let version = std::fs::read_to_string(folder.join("version")).unwrap();
        let mut app = App::new("child");
        let text = version.clone();
        app.get("/", move || text.clone());
        match &*version {
            "panic" => panic!("as it should"),
            "mistake" => drop(app.get("nowhere", || "x")),
            _ => {}
        }
        let options =
            RunOptions { port: 0, reload: true, extra_files: vec![folder.join("version")], ..Default::default() };
        match app.run_with(options) {
            Ok(()) => eprintln!("ended"),
            Err(error) => eprintln!("failed {error}"),
        }
    }

    #[test]
    #[ignore = "what the tests below run in a process of its own"]
    fn program() {
        let Ok(args) = std::env::var("DEWAR_TEST_ARGS") else { return };
        let mut app = App::new("shop");
        app.get("/", || "x").endpoint("index");
        app.command("seven", "Gives seven.", |_: &super::Invocation| 7);
        app.command("fail", "", |_: &super::Invocation| "x".parse::<u8>().map(drop));
        app.command("debug", "", |args: &super::Invocation| args.echo(super::current_app().debug()));
        let args = std::iter::once("shop").chain(args.split(' ').filter(|arg| !arg.is_empty()));
        if let Err(error) = app.cli().version("1.2.3").about("Sells things.").run_from(args) {
            eprintln!("failed: {error}");
            std::process::exit(1);
        }
    }

    fn program_with(args: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "cli::processes::program", "--ignored", "--nocapture"]);
        command.env("DEWAR_TEST_ARGS", args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn programs_have_exit_codes() {
        for (args, code, says) in [
            ("--help", 0, "Sells things."),
            ("--help", 0, "Gives seven."),
            ("run --help", 0, "--exclude-patterns"),
            ("--version", 0, "1.2.3 (dewar "),
            ("routes", 0, "index     GET      /   "),
            ("seven", 7, ""),
            ("fail", 1, "failed: invalid digit"),
            ("--prot 80", 2, "tip: a similar argument exists: '--port'"),
            ("run --port many", 2, "--port takes a number from 0 to 65535, not \"many\""),
            ("--cert site.crt", 2, "--cert needs --key"),
            ("sevne", 2, "tip: a similar subcommand exists: 'seven'"),
            ("--port 80 routes", 2, "--port is for serving, and `routes` does not serve"),
            ("--env-file /no/such/file run", 2, "--env-file: the configuration file /no/such/file could not be taken"),
            ("--debug debug", 0, "true"),
            ("debug", 0, "false"),
        ] {
            let output = program_with(args).output().unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(code), "{args}: {text}");
            assert!(text.contains(says), "{args}: {text}");
        }
    }

    #[test]
    fn the_environment_is_below_the_arguments() {
        for (args, variables, says) in [
            ("debug", &[("DEWAR_DEBUG", "1")][..], "true"),
            ("--no-debug debug", &[("DEWAR_DEBUG", "1")], "false"),
            ("run", &[("DEWAR_PORT", "x")], "DEWAR_PORT takes a number from 0 to 65535, not \"x\""),
            ("run --port y", &[("DEWAR_PORT", "1")], "--port takes"),
            (
                "run",
                &[("DEWAR_ACCESS_LOG", "{x}")],
                "DEWAR_ACCESS_LOG takes a format of the access log (there is no {x}",
            ),
        ] {
            let output = program_with(args).envs(variables.iter().copied()).output().unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(text.contains(says), "{args}: {text}");
        }
        let folder = Folder::new("cli-env-file");
        folder.write("my.env", "DEWAR_DEBUG=1 # on\n").write("odd.env", "what is this\nDEWAR_DEBUG=1");
        for (file, says) in [("my.env", "true"), ("odd.env", "odd.env, line 1: this is no `NAME=value`")] {
            let args = format!("--env-file {} debug", folder.0.join(file).display());
            let output = program_with(&args).output().unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success() && text.contains(says), "{text}");
        }
    }

    /// A program that serves, and its next line that has this in it.
    fn next_line(said: &mut impl BufRead, has: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it has ended");
            if line.contains(has) {
                return line.trim_end().to_owned();
            }
        }
    }

    #[test]
    fn the_access_log_has_the_format_asked_for() {
        for (format, begins, ends) in [
            ("common", "127.0.0.1 - - [", "+0000] \"GET / HTTP/1.1\" 200 1"),
            ("combined", "127.0.0.1 - - [", "+0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\""),
            ("json", "{\"bytes\":1,", "}"),
            ("{status}|{header:host}|{target}", "200|x|/", "200|x|/"),
            ("dev", "127.0.0.1 \"GET / HTTP/1.1\" 200 1 ", "ms"),
        ] {
            let mut process = program_with(&format!("run --port 0 --access-log {format}")).spawn().unwrap();
            let mut said = BufReader::new(process.stderr.take().unwrap());
            let ready = next_line(&mut said, "listening on http://");
            get(ready.rsplit('/').next().unwrap().parse().unwrap()).unwrap();
            let line = next_line(&mut said, if format == "json" { "GET" } else { "200" });
            process.kill().unwrap();
            process.wait().unwrap();
            assert!(line.starts_with(begins) && line.ends_with(ends), "{format}: {line}");
        }
    }

    /// A supervisor, ended when the test is over.
    struct Supervisor {
        process: Child,
        said: BufReader<ChildStderr>,
        addr: SocketAddr,
        folder: Folder,
    }

    impl Supervisor {
        fn start(name: &str) -> Supervisor {
            let folder = Folder::new(name);
            folder.write("version", "one");
            let build = format!(
                // What `cargo run` tells its program would have crates compiled anew.
                "cd '{}' && test -z \"$CARGO_PKG_NAME$CARGO_MANIFEST_DIR\" \
                 && if grep -q broken version; then echo 'error: <no>' >&2; exit 1; fi",
                folder.0.display()
            );
            let mut process = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "cli::processes::child", "--ignored", "--nocapture"])
                .env("DEWAR_TEST_FOLDER", &folder.0)
                .env("DEWAR_RELOAD_COMMAND", build)
                // What is below this package is of no interest here.
                .env("CARGO_MANIFEST_DIR", &folder.0)
                .env("CARGO_PKG_NAME", "shop")
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(process.stderr.take().unwrap());
            let addr = loop {
                let mut line = String::new();
                assert_ne!(said.read_line(&mut line).unwrap(), 0, "it has ended");
                if let Some(url) = line.trim().strip_prefix("listening on http://") {
                    break url.parse().unwrap();
                }
            };
            Supervisor { process, said, addr, folder }
        }

        /// Asks until it is answered so; each connection must be taken.
        fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
            let end = Instant::now() + Duration::from_secs(60);
            loop {
                let answer = get(self.addr).expect("no connection is refused");
                if wanted(&answer) {
                    return answer;
                }
                assert!(Instant::now() < end, "answered to the end: {answer}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }

        fn until_nobody_listens(&self) {
            let end = Instant::now() + Duration::from_secs(60);
            while TcpStream::connect(self.addr).is_ok() {
                assert!(Instant::now() < end, "somebody was left behind");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    impl Drop for Supervisor {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// The whole response; empty when the server went away before it had answered.
    fn get(addr: SocketAddr) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(addr)?;
        let mut answer = Vec::new();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let _ = stream.read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    #[test]
    fn a_change_is_served_and_a_mistake_is_shown() {
        let mut supervisor = Supervisor::start("reload");
        supervisor.until(|answer| answer.ends_with("\r\n\r\none"));
        supervisor.folder.write("version", "second");
        supervisor.until(|answer| answer.ends_with("\r\n\r\nsecond"));
        supervisor.folder.write("version", "broken");
        let page = supervisor.until(|answer| answer.starts_with("HTTP/1.1 500"));
        assert!(page.contains("does not compile") && page.contains("error: &lt;no&gt;"), "{page}");
        supervisor.folder.write("version", "mistake");
        let page = supervisor.until(|answer| answer.contains("set-up has mistakes"));
        assert!(page.contains("cli.rs:"), "{page}");
        supervisor.folder.write("version", "panic");
        supervisor.until(|answer| answer.contains("The program has ended"));
        supervisor.folder.write("version", "at last");
        supervisor.until(|answer| answer.ends_with("\r\n\r\nat last"));

        assert!(Command::new("kill").args(["-TERM", &supervisor.process.id().to_string()]).status().unwrap().success());
        assert!(supervisor.process.wait().unwrap().success());
        supervisor.until_nobody_listens();
        let mut rest = String::new();
        supervisor.said.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("version changed") && rest.trim_end().ends_with("ended"), "{rest}");
    }

    #[test]
    fn nobody_is_left_behind() {
        let mut supervisor = Supervisor::start("reload-killed");
        supervisor.until(|answer| answer.ends_with("one"));
        supervisor.process.kill().unwrap();
        supervisor.process.wait().unwrap();
        supervisor.until_nobody_listens();
    }
}
