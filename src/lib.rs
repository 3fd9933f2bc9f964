//! Daily Ops walks the daily ops checklist, says what needs a person, and keeps the ops log.
//!
//! ```text
//!  Slack --> slack (parsed, kept in the inbox, then acked) --+          schedule
//!                                                            v             |
//!  terminal --> command ----------------------------------> bot <-----------+
//!                                                            |
//!                                          checks --> report --> triage --> render
//!                                                            |
//!      store (runs, decisions, ops log, inbox, rounds, messages, effects)
//!                              |                    |
//!                              v                    v
//!                 slack (the courier: messages)   effects --> upstream
//! ```
//!
//! Invariants:
//! 1. The database is the truth: a run is recorded before anything of it is shown.
//! 2. `text`, `baseline`, `report`, `ticket`, `triage`, `render`, `command` and every `evaluate` do no I/O and take the
//!    time as an argument.
//! 3. All SQL for our own database is in `store`; only `upstream`, `trackers`, the checks' clients, `slack` and `serve`
//!    touch the network, and `sandbox` the loopback addresses of this machine.
//! 4. A request from Slack is answered after it was committed under its natural key. A decision, its log entry and the
//!    effect that it asks for are one transaction, and no effect is recorded without a `Permit`.
//! 5. A message in Slack is a rendering of the database: every change, from wherever it comes, renders it anew.
//! 6. The modules below stand in dependency order: each uses only those above it. A test proves it.

/// Text from outside, made one printable line.
pub mod text;

/// What normal looks like.
pub mod baseline;

/// What one run found, as plain data.
pub mod report;

/// Tickets as plain data.
pub mod ticket;

/// What needs a person, given earlier rounds and decisions.
pub mod triage;

/// When rounds are expected, and the clock that tells.
pub mod schedule;

/// The log that nobody can change unseen.
pub mod ops_log;

/// Who may do what from a chat.
pub mod permissions;

/// The words of the terminal and of `/ops`.
pub mod command;

/// A report as terminal text, Markdown, JSON or Slack's blocks.
pub mod render;

/// Which addresses may be asked.
pub mod address;

/// The HTTP layer under every API client.
pub mod upstream;

/// Where tickets are kept.
pub mod trackers;

/// The items of the checklist, and how they run.
pub mod checks;

/// All that is remembered; the only SQL.
pub mod store;

/// What decisions ask of the other side.
pub mod effects;

/// Commands turned into rounds and decisions.
pub mod bot;

/// Slack's wire: what people ask comes in, messages go out.
pub mod slack;

/// The bot as a service.
pub mod serve;

/// The configuration file, and the secrets of the environment.
pub mod config;

/// To be tried: the bot with a Slack and a company of its own.
#[cfg(feature = "sandbox")]
pub mod sandbox;

/// The terminal's commands, wired.
pub mod cli;
