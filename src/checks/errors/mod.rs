//! The check `errors`: Sentry's unresolved issues, how bad each is, and what Sentry itself dropped.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use url::Url;

use super::{Applied, Check, Evaluation, Looking, NotApplied, Order, Secret};
use crate::{
    report::{Finding, Unknown},
    text::Untrusted,
    upstream,
};

mod client;
mod default_rules;
mod findings;
mod goal;
mod issue;
mod observe;
mod pages;
mod remedies;
mod rules;
mod spike;
mod walk;

pub use observe::{Drops, Observation, Seen};
pub use rules::Rule;

/// The token and what it is for.
const TOKEN: Secret = (
    "SENTRY_AUTH_TOKEN",
    "reads Sentry's issues, and resolves, assigns and archives them",
);

/// `[checks.errors]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// The organization's slug.
    pub organization: String,
    /// Slugs, one or more.
    pub projects: Vec<String>,
    /// All if empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Sentry's address without `/api/0`: a region's, or a server of your own.
    #[serde(default = "sentry_io")]
    pub url: Url,
    /// An unresolved issue counts if it was seen in this time.
    #[serde(default = "ninety_days", with = "humantime_serde")]
    pub lookback: Duration,
    /// The most issues that are read.
    #[serde(default = "ten_thousand")]
    pub max_issues: usize,
    /// Whether a note is left in Sentry when a remedy was carried out.
    #[serde(default = "yes")]
    pub notes: bool,
    #[serde(default)]
    pub spike: spike::Limits,
    /// The first that fits gives the severity.
    #[serde(default = "default_rules::default_rules")]
    pub rules: Vec<Rule>,
    /// Times and retries; not configurable, but tests are in a hurry.
    #[serde(skip)]
    pub settings: upstream::Settings,
}

fn sentry_io() -> Url {
    Url::parse("https://sentry.io").expect("the address is constant")
}

fn ninety_days() -> Duration {
    Duration::from_secs(90 * 86_400)
}

fn ten_thousand() -> usize {
    10_000
}

fn yes() -> bool {
    true
}

impl Errors {
    /// The lookback as Sentry takes it: "90d", "36h".
    fn stats_period(&self) -> String {
        match self.lookback.as_secs() / 3600 {
            hours if hours.is_multiple_of(24) => format!("{}d", hours / 24),
            hours => format!("{hours}h"),
        }
    }
}

impl Check for Errors {
    const NAME: &'static str = "errors";
    const SECRETS: &'static [Secret] = &[TOKEN];
    type Observation = Observation;

    fn validate(&self) -> anyhow::Result<()> {
        let slug = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        ensure!(
            slug(&self.organization),
            "`organization` is a slug such as `acme`, as in Sentry's addresses"
        );
        ensure!(
            !self.projects.is_empty(),
            "`projects` names no project; give one or more slugs"
        );
        ensure!(
            self.projects.iter().all(|project| slug(project)),
            "`projects` holds slugs such as `web`, as in Sentry's addresses"
        );
        let different: BTreeSet<_> = self.projects.iter().collect();
        ensure!(
            different.len() == self.projects.len(),
            "`projects` names a project twice"
        );
        ensure!(
            self.environments.iter().all(|name| !name.trim().is_empty()),
            "`environments` holds an empty name"
        );
        upstream::admit(&self.url)?;
        ensure!(
            !self.url.path().contains("/api/0"),
            "`url` is Sentry's address without /api/0"
        );
        let day = Duration::from_secs(86_400);
        ensure!(
            (day..=365 * day).contains(&self.lookback),
            "`lookback` lies between 1d and 365d"
        );
        ensure!(
            (1..=100_000).contains(&self.max_issues),
            "`max_issues` lies between 1 and 100000"
        );
        ensure!(
            self.spike.factor >= 1.0 && self.spike.factor.is_finite(),
            "`spike.factor` is 1 or more"
        );
        ensure!(
            !self.rules.is_empty(),
            "`rules` is empty; leave it out for the rules that come with the check"
        );
        for (place, rule) in self.rules.iter().enumerate() {
            rule.validate()
                .with_context(|| format!("in rule {}", place + 1))?;
        }
        Ok(())
    }

    async fn observe(&self, looking: &Looking) -> Result<Observation, Unknown> {
        observe::observe(self, looking).await
    }

    fn evaluate(&self, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
        findings::evaluate(self, seen, now)
    }

    fn reaches(&self, finding: &Finding, _: &Observation, now: DateTime<Utc>) -> bool {
        // Sentry counts back from when it is asked, a little later.
        let began = now - self.lookback + TimeDelta::hours(1);
        finding.last_at.is_none_or(|last| last >= began)
    }

    async fn before(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> Result<Option<Untrusted>, NotApplied> {
        remedies::before(self, order, looking).await
    }

    async fn apply(&self, order: &Order, looking: &Looking) -> Result<Applied, NotApplied> {
        remedies::apply(self, order, looking).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(toml: &str) -> anyhow::Result<Errors> {
        let errors: Errors = toml::from_str(toml)?;
        errors.validate()?;
        Ok(errors)
    }

    #[test]
    fn two_lines_are_a_configuration() {
        let errors = section("organization = 'acme'\nprojects = ['web']").unwrap();
        assert_eq!(
            (
                errors.stats_period().as_str(),
                errors.max_issues,
                errors.rules.len()
            ),
            ("90d", 10_000, 10)
        );
        assert_eq!(errors.url.as_str(), "https://sentry.io/");
    }

    #[test]
    fn a_wrong_configuration_names_its_field() {
        for (more, named) in [
            ("organization = '..'\nprojects = ['web']", "`organization`"),
            ("organization = 'acme'\nprojects = []", "`projects`"),
            ("organization = 'acme'\nprojects = ['a/b']", "`projects`"),
            ("organization = 'acme'\nprojects = ['a', 'a']", "twice"),
            (
                "organization = 'acme'\nprojects = ['a']\nurl = 'http://1.1.1.1'",
                "plain http",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nurl = 'https://sentry.io/api/0/'",
                "/api/0",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nlookback = '1h'",
                "`lookback`",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nrules = []",
                "`rules`",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nrules = [{ severity = 'low', levels = ['warn'] }]",
                "in rule 1: `levels`",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nrules = [{ severity = 'low', user = 3 }]",
                "unknown field `user`",
            ),
            (
                "organization = 'acme'\nprojects = ['a']\nsettings = 1",
                "unknown field `settings`",
            ),
        ] {
            let message = format!("{:#}", section(more).unwrap_err());
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn what_was_last_seen_before_the_lookback_can_not_be_missed() {
        let section = "organization = 'acme'\nprojects = ['a']\nlookback = '90d'";
        let section: Errors = toml::from_str(section).unwrap();
        let now: DateTime<Utc> = "2026-11-23T09:00:00Z".parse().unwrap();
        let seen_before = |days| Finding {
            last_at: Some(now - TimeDelta::days(days)),
            ..Finding::new(
                crate::report::FindingKey::new("errors", "1"),
                crate::report::Severity::High,
                "",
                "",
            )
        };
        let reaches = |days| section.reaches(&seen_before(days), &Observation::default(), now);
        assert!(reaches(89) && !reaches(91));
    }
}
