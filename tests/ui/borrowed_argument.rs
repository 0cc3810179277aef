//! `&str`, as whoever is new will write it.

fn view(name: &str) -> String {
    name.to_owned()
}
dewar::check_handler!(view);

fn main() {}
