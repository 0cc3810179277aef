//! The options of `app.run()`.

use std::path::PathBuf;

use dewar::RunOptions;
use dewar::server::AccessLog;

#[test]
fn flags_can_be_said_both_ways() {
    for (args, debug, reload, port) in [
        (&[][..], false, false, 5000),
        (&["--debug"], true, true, 5000),
        (&["--debug", "--port", "80"], true, true, 80),
        (&["--port=80", "--debug=false"], false, false, 80),
        (&["--debug", "--debug=0"], false, false, 5000),
        (&["--debug", "--no-debug"], false, false, 5000),
        (&["--no-debug", "--debug"], true, true, 5000),
        (&["--debug", "--no-reload", "-p", "7"], true, false, 7),
        (&["--reload"], false, true, 5000),
    ] {
        let options = RunOptions::parse(args.iter().copied()).unwrap();
        assert_eq!((options.debug, options.reload, options.port), (debug, reload, port), "{args:?}");
        assert_eq!(options.log, if debug { log::LevelFilter::Debug } else { log::LevelFilter::Warn });
    }
}

#[test]
fn lists_and_formats_are_taken() {
    let args = ["--extra-files", "a:b c", "--extra-files=d", "--exclude-patterns", "*/x:*.rs", "--access-log=combined"];
    let options = RunOptions::parse(args).unwrap();
    assert_eq!(options.extra_files, ["a", "b c", "d"].map(PathBuf::from));
    assert_eq!(options.exclude_patterns, ["*/x", "*.rs"]);
    assert_eq!(options.access_log, Some(AccessLog::Combined));
}

#[test]
fn what_is_wrong_is_said() {
    for (args, says) in [
        (&["--debug=yes"][..], "--debug takes true or false, not \"yes\""),
        (&["--debug", "true"], "there is no option true"),
        (&["--prot", "80"], "there is no option --prot, did you mean --port?"),
        (&["--port"], "--port needs a value"),
        (&["--port", "65536"], "--port takes a number from 0 to 65535, not \"65536\""),
        (&["--workers", "0"], "--workers takes a number from 1 on, not \"0\""),
        (&["--engine", "x"], "--engine takes an engine"),
        (&["--log", "info"], "there is no option --log"),
        (&["--access-log", "fancy"], "--access-log takes a format of the access log (there are off, dev"),
        (&["--cert", "site.crt"], "--cert needs --key, too (or DEWAR_KEY)"),
        (&["--key=site.key"], "--key needs --cert, too (or DEWAR_CERT)"),
        (&["run"], "there is no option run"),
    ] {
        let error = RunOptions::parse(args.iter().copied()).unwrap_err().to_string();
        assert!(error.starts_with(says) && error.ends_with("; --help lists the options"), "{args:?}: {error}");
    }
}
