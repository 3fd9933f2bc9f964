//! Starts the service, and stops it.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};

use super::{
    Settings, admin,
    gate::Gate,
    listener, metrics,
    readiness::{MEASURE, Readiness},
    work::{GRACE, Work},
};
use crate::{
    bot::{Bot, Denials, Desk},
    permissions::{Home, Permissions},
    slack::{
        self, Courier, Intake, Lease, Transport,
        api::{Api, Class, Identity, Limits},
        http,
        people::People,
        socket::{self, NotOpened, Socket},
    },
};

/// How long the service waits before it asks Slack again who it is.
const PAUSE: Duration = Duration::from_secs(2);

/// All that the service is made of.
pub struct Service {
    pub bot: Arc<Bot>,
    pub slack: slack::Settings,
    pub server: Settings,
    pub permissions: Permissions,
    /// Of messages.
    pub lease: Lease,
}

impl Service {
    /// Serves until the shutdown is asked for. An error means that it could not begin.
    pub async fn run(self, shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
        let door = self.check()?;
        let bot = self.bot;
        let done = serve(
            &bot,
            self.slack,
            &self.server,
            self.permissions,
            self.lease,
            door,
            shutdown,
        )
        .await;
        bot.store.close().await;
        done
    }

    /// What can be known to be wrong before anything is begun. Gives the way in.
    fn check(&self) -> anyhow::Result<Door> {
        self.slack.bot_token()?;
        match self.slack.transport {
            Transport::Http => {
                ensure!(
                    !self.slack.secrets.signing.is_empty(),
                    "{0} is not set; it tells Slack's requests from others. Set it, or {0}_FILE to a file that holds it",
                    slack::SIGNING_SECRET
                );
                Ok(Door::Http(self.server.listen))
            }
            Transport::Socket => {
                let token = self.slack.secrets.app_token.clone();
                token.map(Door::Socket).with_context(|| {
                    format!(
                        "{0} is not set; it opens Socket Mode. Set it, or {0}_FILE to a file that holds it",
                        slack::APP_TOKEN
                    )
                })
            }
        }
    }
}

/// How requests come in.
enum Door {
    Http(SocketAddr),
    Socket(SecretString),
}

async fn serve(
    bot: &Arc<Bot>,
    slack: slack::Settings,
    server: &Settings,
    permissions: Permissions,
    lease: Lease,
    door: Door,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let handle = metrics::install()?;
    let api = Arc::new(Api::new(
        &slack.api_url,
        slack.bot_token()?,
        Limits::default(),
    )?);
    let health = Arc::new(socket::Health::default());
    let readiness = Arc::new(Readiness {
        bot: Arc::clone(bot),
        api: Arc::clone(&api),
        known: AtomicBool::new(false),
        socket: matches!(door, Door::Socket(_)).then(|| Arc::clone(&health)),
    });
    let admin = bind(server.admin_listen, "admin_listen").await?;
    tracing::info!(address = %admin.local_addr()?, "telling how it is");
    let mut beside = JoinSet::new();
    beside.spawn(listener::serve(
        admin,
        admin::router(Arc::clone(&readiness) as _, handle.clone()),
        shutdown.clone(),
    ));
    beside.spawn(until(shutdown.clone(), metrics::upkeep(handle)));
    beside.spawn(until(shutdown.clone(), measure(Arc::clone(&readiness))));
    // Bound before Slack is asked, so that what is wrong with it is said at once.
    let listener = match &door {
        Door::Http(address) => Some(bind(*address, "listen").await?),
        Door::Socket(_) => None,
    };
    let gate = Gate::default();
    let mut callers = JoinSet::new();
    if let Some(listener) = listener {
        tracing::info!(address = %listener.local_addr()?, "listening for Slack");
        callers.spawn(listener::serve(listener, gate.router(), shutdown.clone()));
    }
    bot.store.release_claims().await?;
    let Some(identity) = who_we_are(&api, shutdown.clone()).await? else {
        return Ok(());
    };
    tracing::info!(team = identity.team, user = identity.user, "known to Slack");
    readiness.known.store(true, Ordering::Relaxed);
    let desk = Arc::new(Desk {
        bot: Arc::clone(bot),
        permissions,
        home: Home {
            team: identity.team,
            // Else the other workspaces of the organisation are strangers.
            enterprise: identity
                .enterprise
                .filter(|_| identity.is_enterprise_install),
        },
        directory: Arc::new(People::new(Arc::clone(&api), Arc::clone(&bot.clock))),
        denials: Denials::default(),
    });
    let courier = Arc::new(Courier {
        bot: Arc::clone(bot),
        api: Arc::clone(&api),
        lease,
        workspace: identity.url.clone(),
    });
    let intake = Arc::new(Intake::new(
        Arc::clone(&desk),
        Arc::clone(&api),
        identity.url,
    ));
    let drained = Arc::clone(&intake);
    let work = Work::start(bot, &courier, &intake, &desk, &slack.channel, &shutdown);
    match door {
        Door::Socket(token) => {
            let socket = Socket {
                open: opener(api, token),
                inbox: intake,
                clock: Arc::clone(&bot.clock),
                health,
                limits: socket::Limits::default(),
            };
            socket.run(shutdown).await;
        }
        Door::Http(_) => {
            gate.open(http::router(http::Door {
                secrets: slack.secrets.signing,
                inbox: intake,
                clock: Arc::clone(&bot.clock),
            }));
            while callers.join_next().await.is_some() {}
        }
    }
    work.end().await;
    if timeout(GRACE, drained.drained()).await.is_err() {
        tracing::warn!("requests are left over; they are dealt with at the next start");
    }
    if let Err(error) = desk.log_left_out().await {
        tracing::error!("{error:#}");
    }
    if let Err(error) = bot.project_waiting().await {
        tracing::warn!("{error:#}");
    }
    beside.shutdown().await;
    Ok(())
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}, which `{key}` in [server] names"))
}

/// Asks for Socket Mode's addresses.
fn opener(api: Arc<Api>, token: SecretString) -> socket::Opener {
    Arc::new(move || {
        let (api, token) = (Arc::clone(&api), token.clone());
        Box::pin(async move {
            api.connections_open(&token).await.map_err(|error| {
                match (&error.class, error.retry_after) {
                    (Class::TokenDead, _) => {
                        NotOpened::Credential(error.code.as_str().to_owned()).into()
                    }
                    (_, Some(wait)) => NotOpened::RetryAfter(wait).into(),
                    _ => anyhow::Error::from(error),
                }
            })
        })
    })
}

async fn until(mut shutdown: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
}

async fn measure(readiness: Arc<Readiness>) {
    loop {
        if let Err(error) = readiness.measure().await {
            tracing::debug!("what waits could not be measured: {error:#}");
        }
        readiness.ask_again().await;
        tokio::time::sleep(MEASURE).await;
    }
}

/// Asks until Slack answers. None if the shutdown came first; an error if the token will never do.
async fn who_we_are(
    api: &Api,
    mut shutdown: watch::Receiver<bool>,
) -> anyhow::Result<Option<Identity>> {
    while !*shutdown.borrow() {
        match api.auth_test().await {
            Ok(identity) => return Ok(Some(identity)),
            Err(error) if error.class == Class::TokenDead => return Err(error.into()),
            Err(error) => tracing::warn!("{error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = shutdown.changed() => {}
        }
    }
    Ok(None)
}
