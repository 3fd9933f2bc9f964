//! Starts the service, and stops it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use tokio::{net::TcpListener, sync::watch};

use super::{Settings, listener, work::Work};
use crate::{
    bot::{Bot, Desk},
    permissions::{Home, Permissions},
    slack::{
        self, Courier, Intake, Transport,
        api::{Api, Class, Identity, Limits},
        http::{Door, router},
        people::People,
    },
};

/// How long the service waits before it asks Slack again who it is.
const PAUSE: Duration = Duration::from_secs(2);

/// All that the service is made of.
pub struct Service {
    pub bot: Bot,
    pub slack: slack::Settings,
    pub server: Settings,
    pub permissions: Permissions,
}

impl Service {
    /// Serves until the shutdown is asked for. An error means that it could not begin.
    pub async fn run(self, shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
        let door = self.check()?;
        let bot = Arc::new(self.bot);
        let api = Arc::new(Api::new(
            &self.slack.api_url,
            self.slack.bot_token()?,
            Limits::default(),
        )?);
        bot.store.release_claims().await?;
        let Some(identity) = who_we_are(&api, shutdown.clone()).await? else {
            return Ok(());
        };
        tracing::info!(team = identity.team, user = identity.user, "known to Slack");
        let desk = Arc::new(Desk {
            bot: Arc::clone(&bot),
            permissions: self.permissions,
            home: Home {
                team: identity.team,
                enterprise: identity.enterprise,
            },
            directory: Arc::new(People::new(Arc::clone(&api), Arc::clone(&bot.clock))),
        });
        let courier = Arc::new(Courier {
            bot: Arc::clone(&bot),
            api: Arc::clone(&api),
            workspace: identity.url.clone(),
        });
        let intake = Arc::new(Intake::new(desk, Arc::clone(&api), identity.url));
        let work = Work::start(&bot, &courier, &intake, &self.slack.channel, &shutdown);
        match door {
            Some(address) => {
                let listener = TcpListener::bind(address).await.with_context(|| {
                    format!("can't listen on {address}, which `listen` in [server] names")
                })?;
                tracing::info!(address = %listener.local_addr()?, "listening for Slack");
                let routes = router(Door {
                    secrets: self.slack.secrets.signing,
                    inbox: intake,
                    clock: Arc::clone(&bot.clock),
                });
                listener::serve(listener, routes, shutdown.clone()).await;
            }
            None => unimplemented!(),
        }
        work.end().await;
        bot.store.close().await;
        Ok(())
    }

    /// What can be known to be wrong before anything is begun. Gives the address to listen on, if there is one.
    fn check(&self) -> anyhow::Result<Option<std::net::SocketAddr>> {
        self.slack.bot_token()?;
        match self.slack.transport {
            Transport::Http => {
                ensure!(
                    !self.slack.secrets.signing.is_empty(),
                    "{0} is not set; it tells Slack's requests from others. Set it, or {0}_FILE to a file that holds it",
                    slack::SIGNING_SECRET
                );
                Ok(Some(self.server.listen))
            }
            Transport::Socket => {
                ensure!(
                    self.slack.secrets.app_token.is_some(),
                    "{0} is not set; it opens Socket Mode. Set it, or {0}_FILE to a file that holds it",
                    slack::APP_TOKEN
                );
                Ok(None)
            }
        }
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
