//! All integration tests, in one binary.

mod architecture;
mod checklist;
mod errors;
mod health;
mod render;
mod round;
mod triage;
mod upstream;
mod world;
