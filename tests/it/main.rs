//! All integration tests, in one binary.

mod health;
mod world;
