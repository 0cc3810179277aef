//! An async function: the error is about what it resolves to.

struct NotAResponse;

async fn view(_id: i64) -> NotAResponse {
    NotAResponse
}
dewar::check_handler!(view);

fn main() {}
