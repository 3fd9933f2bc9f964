//! An HTTP server that slow clients can't hold up.
//!
//! Every connection has a time by which its next step must be done, and when too many are open, the one that has waited
//! longest goes.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_service::Service;

mod connection;
mod crowd;

use connection::{Phase, Progress, Tracked, Watched};
use crowd::{Crowd, Seat};

/// What one client may take of us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From the first byte, or from the connection's start, to the end of the headers.
    pub headers: Duration,
    pub header_bytes: usize,
    pub body: Duration,
    /// From the end of the request to the end of its answer.
    pub answer: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// How long a shutdown waits for what has begun.
    pub shutdown: Duration,
}

impl Limits {
    /// Of all phases of a connection.
    fn shortest(&self) -> Duration {
        let Self {
            headers,
            body,
            answer,
            idle,
            ..
        } = *self;
        headers.min(body).min(answer).min(idle)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            headers: Duration::from_secs(5),
            header_bytes: 16 << 10,
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// Serves until the shutdown is true, or nobody is left who could say so; then what has begun is finished.
pub async fn serve(listener: TcpListener, router: Router, shutdown: watch::Receiver<bool>) {
    serve_within(Limits::default(), listener, router, shutdown).await;
}

/// As [`serve`], with other limits.
pub async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let crowd = Arc::new(Crowd::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            _ = stopped(&mut shutdown) => break,
        };
        let Some(stream) = taken(accepted).await else {
            continue;
        };
        let seat = tokio::select! {
            seat = crowd.seat() => seat,
            _ = stopped(&mut shutdown) => break,
        };
        let (router, shutdown) = (router.clone(), shutdown.clone());
        connections.spawn(attend(limits, stream, seat, router, shutdown));
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.shutdown, finished).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "connections were cut off at the shutdown"
        );
    }
}

/// Ends when the shutdown is true, or can't become so any more.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    shutdown.wait_for(|stop| *stop).await.ok();
}

/// A failed accept is no reason to end, and none to spin: without free file descriptors it fails again at once.
async fn taken(accepted: std::io::Result<(TcpStream, SocketAddr)>) -> Option<TcpStream> {
    match accepted {
        Ok((stream, _)) => {
            stream.set_nodelay(true).ok();
            Some(stream)
        }
        Err(error) => {
            tracing::warn!("a connection can't be accepted: {error}");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Serves one connection, until it ends, is late, or has to make room.
async fn attend(
    limits: Limits,
    stream: TcpStream,
    seat: Seat,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let progress = Arc::clone(&seat.progress);
    let service = service_fn({
        let progress = Arc::clone(&progress);
        move |request| answer(router.clone(), Arc::clone(&progress), request)
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&progress)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Hyper's own limit holds between two requests as well, where there is more time.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes)
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let mut late = std::pin::pin!(progress.late(&limits));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended: {error}");
                }
                return;
            }
            phase = late.as_mut() => {
                tracing::debug!(?phase, "a slow connection was cut off");
                return;
            }
            () = seat.given_up() => return,
            () = stopped(&mut shutdown), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn answer(
    mut router: Router,
    progress: Arc<Progress>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<axum::response::Response, Infallible>> {
    progress.enter(Phase::Body);
    let request = request.map(|body| Body::new(Tracked::request(body, Arc::clone(&progress))));
    async move {
        let response = router.call(request).await?;
        Ok(response.map(|body| Body::new(Tracked::response(body, progress))))
    }
}
