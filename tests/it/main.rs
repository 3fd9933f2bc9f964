//! All integration tests, in one binary.

mod health;
mod health_judgement;
mod world;
