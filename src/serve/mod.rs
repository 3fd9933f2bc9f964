//! The bot as a service: it listens, works off what it accepted, and tells how it is.

use std::net::SocketAddr;

use serde::Deserialize;

/// How the process is.
pub mod admin;

/// Connections and their limits.
pub mod listener;

/// What is counted and measured.
pub mod metrics;

mod gate;
mod readiness;
mod run;
mod work;

pub use run::Service;

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// For Slack's requests, with `transport = "http"`.
    pub listen: SocketAddr,
    /// For `/healthz`, `/readyz` and `/metrics`.
    pub admin_listen: SocketAddr,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9090)),
        }
    }
}
