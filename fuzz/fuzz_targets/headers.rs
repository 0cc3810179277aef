#![no_main]

#[path = "../../tests/it/app/fuzzed/headers.rs"]
mod headers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| headers::headers(data));
