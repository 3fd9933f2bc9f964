//! The services of the company, each with a health address.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{Router, extract::State as Extract, http::StatusCode, routing::get};
use tokio::net::TcpListener;

/// One service; the description may be changed at any time.
#[derive(Clone, Debug)]
pub struct Description {
    pub name: &'static str,
    pub environment: &'static str,
    /// What its health address answers.
    pub status: u16,
}

/// A service on a loopback address; it closes when it is dropped.
pub struct Service {
    pub url: String,
    described: Arc<Mutex<Description>>,
    server: tokio::task::AbortHandle,
}

impl Service {
    pub async fn open(described: Description) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/healthz", listener.local_addr()?);
        let described = Arc::new(Mutex::new(described));
        let router = Router::new()
            .route("/healthz", get(answer))
            .with_state(Arc::clone(&described));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            described,
            server: server.abort_handle(),
        })
    }

    pub fn described(&self) -> MutexGuard<'_, Description> {
        self.described
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(Extract(described): Extract<Arc<Mutex<Description>>>) -> StatusCode {
    let described = described.lock().unwrap_or_else(PoisonError::into_inner);
    StatusCode::from_u16(described.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
