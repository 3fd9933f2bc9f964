//! All integration tests, in one binary.

mod architecture;
mod checklist;
mod errors;
mod errors_faults;
mod errors_remedies;
mod health;
mod health_judgement;
mod render;
mod round;
mod sentry_contract;
mod triage;
mod upstream;
mod world;
