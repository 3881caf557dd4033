//! Any bytes through the law of the same name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gf_fuzz::patch(bytes));
