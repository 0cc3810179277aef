//! The options of `app.run()`.

use dewar::RunOptions;

#[test]
fn debug_is_a_flag() {
    for (args, debug, port) in [
        (&[][..], false, 5000),
        (&["--debug"], true, 5000),
        (&["--debug", "--port", "80"], true, 80),
        (&["--port=80", "--debug=false"], false, 80),
        (&["--debug", "--debug=0"], false, 5000),
    ] {
        let options = RunOptions::parse(args.iter().copied()).unwrap();
        assert_eq!((options.debug, options.port), (debug, port), "{args:?}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (args, says) in [
        (&["--debug=yes"][..], "--debug takes true or false, not \"yes\""),
        (&["--debug", "true"], "there is no option true"),
        (&["--port"], "--port needs a value"),
        (&["--port", "65536"], "--port takes a number from 0 to 65535, not \"65536\""),
        (&["--workers", "0"], "--workers takes a number from 1 on, not \"0\""),
        (&["--engine", "x"], "--engine takes an engine"),
        (&["--log", "info"], "there is no option --log"),
        (&["--cert", "site.crt"], "--cert needs --key, too (or DEWAR_KEY)"),
        (&["--key=site.key"], "--key needs --cert, too (or DEWAR_CERT)"),
        (&["run"], "there is no option run"),
    ] {
        let error = RunOptions::parse(args.iter().copied()).unwrap_err().to_string();
        assert!(error.starts_with(says) && error.ends_with("; --help lists the options"), "{args:?}: {error}");
    }
}
