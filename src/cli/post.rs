//! Posts a round of the terminal to Slack.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::{
    bot::Bot,
    report::Report,
    slack::{
        Courier, Lease, Settings,
        api::{Api, Limits},
    },
    store::RoundOrder,
    triage::Person,
};

/// How long the terminal waits for Slack; `serve` posts later what was not posted by then.
const LIMIT: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(500);

/// A Slack that has said who we are.
pub(super) struct Poster {
    api: Arc<Api>,
    workspace: Url,
    channel: String,
}

impl Poster {
    pub(super) async fn begin(slack: Settings) -> anyhow::Result<Self> {
        let api = Api::new(&slack.api_url, slack.bot_token()?, Limits::default())?;
        let identity = api.auth_test().await?;
        Ok(Self {
            api: Arc::new(api),
            workspace: identity.url,
            channel: slack.channel,
        })
    }

    /// The message is kept before it is posted; what fails is said, and the round stands all the same.
    pub(super) async fn post(self, bot: &Arc<Bot>, report: &Report, by: Person) {
        let order = RoundOrder {
            by: Some(by),
            at: report.finished_at,
            only: None,
            due_at: None,
            missed: Vec::new(),
            reply_to: None,
        };
        let courier = Courier {
            bot: Arc::clone(bot),
            api: self.api,
            lease: Lease::default(),
            workspace: self.workspace,
        };
        let deliver = async {
            let id = bot
                .store
                .show_run(&self.channel, order, &report.run)
                .await?;
            loop {
                while courier.deliver_next().await? {}
                let message = bot.store.message(&id).await?;
                let message = message.context("the message is gone")?;
                if message.ts.is_some() {
                    return anyhow::Ok(());
                }
                if let Some(error) = message.last_error {
                    bail!("{}; `daily-ops serve` goes on trying", error.as_str());
                }
                sleep(PAUSE).await;
            }
        };
        match timeout(LIMIT, deliver).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("recorded, but not posted: {error:#}"),
            Err(_) => tracing::warn!(
                "recorded, but Slack did not take the message within {} s: `daily-ops serve` posts it later",
                LIMIT.as_secs()
            ),
        }
    }
}
