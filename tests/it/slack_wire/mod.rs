//! Slack's requests: what they come to, and what becomes of them on the way.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daily_ops::schedule::Clock;

mod http;
mod payloads;
mod signature;
mod slow;
mod socket;

const NOW: &str = "2026-11-23T09:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

fn clock() -> Clock {
    Arc::new(now)
}
