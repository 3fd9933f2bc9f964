//! Servers that the loops must find fault with. The real binary can't be one, so this test binary plays them.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    checks::registry,
    config::Config,
    schedule::Clock,
    serve::Service,
    slack::Lease,
    store::{Access, Store},
};
use secrecy::ExposeSecret;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use super::options::variable;
use crate::world::faults::{canned, forward, read_request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_the_loops() {
    // The loops start this binary with a role, and kill it; among the tests it has nothing to do.
    let Some(role) = variable("KILLING_ROLE") else {
        return;
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let path = PathBuf::from(variable("DAILY_OPS_CONFIG").expect("there is a configuration"));
    let config = Config::read(&path, &registry(), &variable).expect("the configuration is right");
    if role == "ack-first" {
        let front = variable("KILLING_FRONT").expect("there is an address");
        let front = front.parse().expect("it is an address");
        tokio::spawn(ack_first(front, config.server.listen));
    }
    let lease = match role.as_str() {
        "short-lease" => Lease {
            time: TimeDelta::milliseconds(300),
            ..Lease::default()
        },
        _ => Lease::default(),
    };
    let (_stop, shutdown) = watch::channel(false);
    let service = service(config, lease).await;
    service.run(shutdown).await.expect("it serves");
}

async fn service(mut config: Config, lease: Lease) -> Service {
    let store = Store::open(config.database_url.expose_secret(), Access::ReadWrite).await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a server in the time of the test"
    )]
    let clock: Clock = Arc::new(chrono::Utc::now);
    let (slack, permissions) = (config.slack.take(), config.permissions.take());
    Service {
        server: config.server.clone(),
        bot: Arc::new(config.bot(store.expect("the store opens"), clock)),
        slack: slack.expect("there is a chat"),
        permissions: permissions.expect("somebody may do something"),
        lease,
    }
}

/// Says 200 to everything, and hands it on some time later.
async fn ack_first(front: SocketAddr, behind: SocketAddr) {
    let listener = TcpListener::bind(front).await.expect("a port");
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move { serve(&mut client, behind).await });
    }
}

async fn serve(client: &mut TcpStream, behind: SocketAddr) -> Option<()> {
    let request = read_request(client).await?;
    client.write_all(&canned("200 OK", "")).await.ok()?;
    sleep(Duration::from_millis(100)).await;
    while forward(behind, &request).await.is_none() {
        sleep(Duration::from_millis(20)).await;
    }
    Some(())
}
