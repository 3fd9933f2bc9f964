//! What watches the process: `/healthz`, `/readyz` and `/metrics`, on a listener of their own.

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::time::timeout;

use crate::text::Untrusted;

/// How long `/readyz` waits for its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the bot is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unready {
    /// `database`, `slack`, `socket`, `inbox`.
    pub part: &'static str,
    pub reason: Untrusted,
}

impl Unready {
    pub fn new(part: &'static str, reason: impl Into<Untrusted>) -> Self {
        Self {
            part,
            reason: reason.into(),
        }
    }
}

/// Says whether the bot can do its work.
pub trait Ready: Send + Sync {
    /// All that stands in the way; empty if it is ready.
    fn unready(&self) -> Pin<Box<dyn Future<Output = Vec<Unready>> + Send + '_>>;
}

#[derive(Clone)]
struct Watched {
    ready: Arc<dyn Ready>,
    metrics: PrometheusHandle,
}

pub fn router(ready: Arc<dyn Ready>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(async || fresh("ok\n")))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(Watched { ready, metrics })
}

/// No answer of these is worth keeping.
fn fresh(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<Unready>,
}

async fn readyz(State(watched): State<Watched>) -> Response {
    let reasons = timeout(PATIENCE, watched.ready.unready())
        .await
        .unwrap_or_else(|_| {
            let reason = format!("no answer within {}", humantime::format_duration(PATIENCE));
            vec![Unready::new("readiness", reason)]
        });
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    fresh((status, Json(Readiness { ready, reasons })))
}

async fn scrape(State(watched): State<Watched>) -> Response {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    fresh(([(header::CONTENT_TYPE, TEXT)], watched.metrics.render()))
}
