//! Described trackers: every answer derives from what they hold and are said to be.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::net::TcpListener;
use url::Url;

use super::faults::{Fault, forward, read_request, strike};

pub(crate) mod github;
pub(crate) mod jira;
pub(crate) mod linear;

/// Serves until the test's runtime ends.
pub(crate) async fn serve(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(crate) fn url(address: SocketAddr) -> Url {
    format!("http://{address}").parse().unwrap()
}

/// A line to a tracker on which one request after the other meets the next of these faults, or none.
pub(crate) async fn line(world: SocketAddr, faults: Vec<Option<Fault>>) -> Url {
    let faults = Arc::new(Mutex::new(VecDeque::from(faults)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let faults = Arc::clone(&faults);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                let request = read_request(&mut client).await?;
                let fault = faults.lock().unwrap().pop_front().flatten();
                if let Some(fault) = fault {
                    return strike(client, world, &request, fault).await;
                }
                let answer = forward(world, &request).await?;
                client.write_all(&answer).await.ok()
            });
        }
    });
    url(address)
}
