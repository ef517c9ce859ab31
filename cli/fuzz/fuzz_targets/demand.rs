#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| natlaw_fuzz::read("demand", bytes));
