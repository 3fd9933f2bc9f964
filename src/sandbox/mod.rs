//! A local Slack in the browser, and a small company behind it whose parts can be broken.
//!
//! The bot can be tried, learnt, shown and tested with it, without an account and without a network.

/// What time it is in the sandbox.
pub mod time;

/// The company: what the checks look at.
pub mod world;

/// A Slack workspace on a loopback address.
pub mod slack;

/// The browser's side.
pub mod page;

/// The same for programs.
pub mod control;

mod kept;
mod office;

pub use office::{Office, Options, Step, once};
