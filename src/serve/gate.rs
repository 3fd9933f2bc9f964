//! The way in for Slack's requests: answered from the first moment on, open once they can be kept.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tower_service::Service;

#[derive(Clone, Default)]
pub(super) struct Gate {
    routes: Arc<OnceLock<Router>>,
}

impl Gate {
    /// From now on requests go there.
    pub(super) fn open(&self, routes: Router) {
        self.routes.get_or_init(|| routes);
    }

    pub(super) fn router(&self) -> Router {
        Router::new().fallback(pass).with_state(self.clone())
    }
}

/// A request that waited until the gate opens would be carried out after Slack has told the person that it failed.
async fn pass(State(gate): State<Gate>, request: Request) -> Response {
    match gate.routes.get() {
        Some(routes) => match routes.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        None => {
            let wait = [(header::RETRY_AFTER, "5"), (header::CONNECTION, "close")];
            (StatusCode::SERVICE_UNAVAILABLE, wait, "not ready yet\n").into_response()
        }
    }
}
