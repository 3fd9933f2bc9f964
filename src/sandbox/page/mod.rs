//! The page: the channel, its people, and the switches of the world.
//!
//! What a window shows is said by its address (`look`), and drawn as a list of pieces (`draw`). Every change of the
//! office draws it anew, and what is no longer as it was is pushed (`live`). What people do comes in as plain forms
//! (`posts`), so that all of it works without a script; the script sends the same forms, and puts what is pushed in place.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::{RawQuery, State},
    http::header,
    middleware::from_fn,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::watch};

use super::{Office, control};
use crate::serve::listener::{Limits, serve_within};

pub mod blocks;
mod channel;
mod draw;
mod front;
mod guard;
mod live;
mod look;
mod panel;
mod piece;
mod posts;
mod shell;
mod side;
mod sight;
mod switches;
mod windows;

use front::Front;
use look::Look;

/// The page on a loopback address.
pub struct Page {
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Page {
    /// `port`: 0 for any that is free.
    pub async fn bind(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| {
                format!("can't listen on port {port} of 127.0.0.1: another program may have it; leave `--port` out for one that is free")
            })?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
        })
    }

    /// Serves until the shutdown is asked for.
    pub async fn serve(
        self,
        office: Arc<Office>,
        shutdown: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let front = Arc::new(Front::new(office, shutdown.clone()));
        let limits = Limits {
            // What is pushed has no end.
            answer: Duration::from_secs(7 * 24 * 60 * 60),
            shutdown: Duration::from_secs(2),
            ..Limits::default()
        };
        let serving = serve_within(limits, self.listener, routes(Arc::clone(&front)), shutdown);
        tokio::select! {
            () = serving => {}
            () = front.watch() => {}
        }
        Ok(())
    }
}

fn routes(front: Arc<Front>) -> Router {
    let control = control::routes(Arc::clone(&front.office));
    Router::new()
        .route("/", get(page))
        .route("/live", get(live::live))
        .route("/say", post(posts::say))
        .route("/act", post(posts::act))
        .route("/suggest", post(posts::suggest))
        .route("/submit", post(posts::submit))
        .route("/close", post(posts::close))
        .route("/play", post(posts::play))
        .route("/switch", post(posts::switch))
        .route("/time", post(posts::time))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
        .route("/icon.svg", get(icon))
        .with_state(front)
        .nest("/control", control)
        .layer(from_fn(guard::guard))
}

async fn page(State(front): State<Arc<Front>>, RawQuery(query): RawQuery) -> Response {
    let look = {
        let world = front.office.slack.world();
        Look::read(query.as_deref().unwrap_or_default(), &world)
    };
    if look.home {
        front.office.slack.open_home(&look.me);
    }
    let pieces = draw::draw(&front, &look).await;
    match shell::shell(&front, &look, &pieces) {
        Ok(html) => Html(html).into_response(),
        Err(error) => posts::refused(&format!("the page can't be drawn: {error}")),
    }
}

async fn style() -> impl IntoResponse {
    const STYLE: &str = concat!(include_str!("page.css"), include_str!("blocks.css"));
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn script() -> impl IntoResponse {
    const SCRIPT: &str = concat!(
        include_str!("keys.js"),
        include_str!("morph.js"),
        include_str!("page.js")
    );
    let script = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([script], SCRIPT)
}

async fn icon() -> impl IntoResponse {
    const ICON: &str = include_str!("icon.svg");
    ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)
}
