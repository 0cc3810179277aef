//! Commands in tests.

use std::ffi::OsString;

use crate::app::AppService;
use crate::error::Error;

/// Runs an app's commands and keeps what they write: made by [`AppService::test_cli_runner`].
#[derive(Debug, Clone)]
pub struct TestCliRunner {
    service: AppService,
}

impl TestCliRunner {
    pub(super) fn new(service: AppService) -> TestCliRunner {
        TestCliRunner { service }
    }

    /// Runs the command that these arguments name, without the program's name: `["routes", "--all-methods"]`. Nothing is
    /// printed, and the process goes on whatever the exit code.
    ///
    /// It does not serve: `run`, and no command, are an error with exit code 2.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("demo");
    /// app.get("/", || "x").endpoint("index");
    /// let result = app.into_service()?.test_cli_runner().invoke(["routes"]);
    /// assert_eq!(result.exit_code(), 0);
    /// assert!(result.output().contains("index"));
    /// # Ok::<(), dewar::SetupErrors>(())
    /// ```
    ///
    /// # Panics
    /// When the command does.
    pub fn invoke<I>(&self, args: I) -> CliResult
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        let name = OsString::from(self.service.site().name());
        let args = [name].into_iter().chain(args.into_iter().map(Into::into));
        let matches = match super::command_line(&self.service).try_get_matches_from(args) {
            Ok(matches) => matches,
            Err(error) => {
                return CliResult { output: error.render().to_string(), code: exit_code(&error), error: None };
            }
        };
        match matches.subcommand() {
            None | Some(("run", _)) => {
                CliResult { output: "error: the test runner does not serve\n".into(), code: 2, error: None }
            }
            Some(chosen) => {
                let (output, outcome) = super::execute(&self.service, chosen, true);
                match outcome {
                    Ok(code) => CliResult { output, code, error: None },
                    Err(error) => CliResult { output, code: 1, error: Some(error) },
                }
            }
        }
    }
}

/// clap's are 0 for help and 2 for mistakes.
fn exit_code(error: &clap::Error) -> u8 {
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// What a command came to in a test.
#[derive(Debug)]
#[must_use]
pub struct CliResult {
    output: String,
    code: u8,
    error: Option<Error>,
}

impl CliResult {
    /// What it wrote, to both of its streams, or what is wrong with the arguments.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// The exit code that the program would have had.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.code
    }

    /// The error that it returned; the program would have told it.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}
