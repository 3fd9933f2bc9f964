//! Linear's issues, over GraphQL.

use std::collections::BTreeMap;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{Ensured, NotEnsured, Read, Secret};
use crate::{report::Unknown, ticket::TicketOrder, upstream};

pub(super) const TOKEN: Secret = (
    "LINEAR_API_KEY",
    "opens, reads and reopens issues of the team of [tickets.linear]",
);

/// `[tickets.linear]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its key, with which names of issues begin: `ENG`.
    pub team: String,
    #[serde(default = "api_linear_app")]
    pub url: Url,
    /// On every ticket, besides its own; only those that exist are set.
    #[serde(default = "daily_ops")]
    pub labels: Vec<String>,
}

fn api_linear_app() -> Url {
    Url::parse("https://api.linear.app/graphql").expect("the address is constant")
}

fn daily_ops() -> Vec<String> {
    vec!["daily-ops".to_owned()]
}

impl Section {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            !self.team.is_empty() && self.team.bytes().all(|b| b.is_ascii_alphanumeric()),
            "`team` is a team's key, such as `ENG` in ENG-12"
        );
        upstream::admit(&self.url)?;
        ensure!(
            self.labels.iter().all(|label| !label.trim().is_empty()),
            "`labels` holds an empty name"
        );
        Ok(())
    }
}

/// One team's issues.
#[derive(Debug)]
pub struct Linear {
    section: Section,
    secret: Option<SecretString>,
    settings: upstream::Settings,
}

impl Linear {
    pub(super) fn new(
        section: Section,
        secret: Option<SecretString>,
        settings: upstream::Settings,
    ) -> Self {
        Self {
            section,
            secret,
            settings,
        }
    }
}

impl Linear {
    pub(super) async fn ensure(
        &self,
        _: &TicketOrder,
        _: DateTime<Utc>,
        _: Instant,
    ) -> Result<Ensured, NotEnsured> {
        super::token(self.secret.as_ref(), TOKEN).map_err(NotEnsured::not_sent)?;
        Err(NotEnsured::refused("not wired yet"))
    }

    pub(super) async fn read(
        &self,
        _: &[String],
        _: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        super::token(self.secret.as_ref(), TOKEN)?;
        Ok(BTreeMap::new())
    }

    pub(super) async fn probe(&self, _: Instant) -> Result<String, Unknown> {
        super::token(self.secret.as_ref(), TOKEN)?;
        Ok(String::new())
    }
}
