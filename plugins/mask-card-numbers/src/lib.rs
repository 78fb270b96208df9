//! Masks payment card numbers in bodies as they stream by.
//!
//! `config` reads the configuration, `scan` splits bytes into digits, separators and the rest, `card`
//! knows what a card number is, `mask` puts them together, `filter` talks to the host. Only `filter`
//! needs a host, so the rest is tested with a plain `cargo test`.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

mod card;
mod config;
#[cfg(target_family = "wasm")]
mod filter;
mod mask;
mod scan;
