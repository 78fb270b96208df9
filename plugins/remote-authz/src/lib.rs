//! Asks an upstream about every request before it goes on.
//!
//! `config` reads the configuration, `verdict` makes sense of the answer, `filter` talks to the host.
//! Only `filter` needs a host, so the rest is tested with a plain `cargo test`.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

mod config;
#[cfg(target_family = "wasm")]
mod filter;
mod verdict;
