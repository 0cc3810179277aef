#![no_main]

#[path = "../../tests/it/app/fuzzed/form.rs"]
mod form;

libfuzzer_sys::fuzz_target!(|data: &[u8]| form::form(data));
