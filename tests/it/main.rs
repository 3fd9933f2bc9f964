//! All integration tests, in one binary.

mod architecture;
mod chain;
mod checklist;
mod configuration;
mod deciding;
mod documents;
mod errors;
mod errors_faults;
mod errors_remedies;
mod health;
mod markdown;
mod opening;
mod ops_log;
mod outbox;
mod picture;
mod render;
mod round;
mod sentry_contract;
mod slack_wire;
mod store;
mod tampering;
mod terminal;
mod triage;
mod upstream;
mod world;
