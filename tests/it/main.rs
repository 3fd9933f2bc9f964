//! All integration tests, in one binary.

mod architecture;
mod checklist;
mod health;
mod render;
mod round;
mod triage;
mod world;
