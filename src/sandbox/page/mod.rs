//! The page: the channel, its people, and the switches of the world.

pub mod blocks;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{Router, extract::State, response::Html, routing::get};
use tokio::{net::TcpListener, sync::watch};

use super::{Office, slack};

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
            .with_context(|| format!("can't listen on port {port} of 127.0.0.1"))?;
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
        let routes = Router::new().route("/", get(show)).with_state(office);
        crate::serve::listener::serve(self.listener, routes, shutdown).await;
        Ok(())
    }
}

async fn show(State(office): State<Arc<Office>>) -> Html<String> {
    let world = office.slack.world();
    let texts: Vec<&str> = world
        .messages(slack::OPS)
        .iter()
        .map(|message| message.now().text.as_str())
        .collect();
    Html(format!("<pre>{}</pre>", texts.join("\n")))
}
