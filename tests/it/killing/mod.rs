//! The real binary is killed again and again while people use it and its upstreams fail. Nothing that it has accepted is
//! lost, and nothing is done twice.
//!
//! `KILLS=5000 cargo test --test it killing::loops -- --nocapture` kills that often; `KILLING_SEED` repeats a run (as far
//! as the machine's own timing allows), and `KILLING_BINARY=target/release/daily-ops` names another binary. With
//! `TEST_DATABASE_URL`, two processes on PostgreSQL are killed, and paused, as well. `killing::durability` needs strace.
//! Some lives ask for tickets in GitHub and for payments through Stripe besides.

mod controls;
mod dealings;
mod disk;
mod durability;
mod judge;
mod loops;
mod node;
mod options;
mod people;
mod postgres;
mod requests;
mod role;
mod site;
mod tables;
mod taken_back;
mod upstream;
mod window;
