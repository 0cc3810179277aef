//! One argument too many.

fn view(_: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64) -> String {
    String::new()
}
dewar::check_handler!(view);

fn main() {}
