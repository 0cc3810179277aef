//! The error of a `Result` must be an error.

struct NotAnError;

fn view(_id: i64) -> Result<String, NotAnError> {
    Err(NotAnError)
}
dewar::check_handler!(view);

fn main() {}
