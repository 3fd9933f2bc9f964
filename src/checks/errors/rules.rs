//! How bad an issue is: the first rule whose conditions all hold gives its severity, with the numbers. Pure.

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{issue::Issue, spike::Spike};
use crate::{
    report::Severity,
    text::{count, thousands},
};

/// One `[[checks.errors.rules]]`. All conditions that are given must hold; without any, the rule fits every issue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub severity: Severity,
    /// `fatal`, `error`, `warning`, `info`, `debug`: one of them.
    #[serde(default)]
    pub levels: Vec<String>,
    /// `high`, `medium`, `low` as Sentry gives them: one of them.
    #[serde(default)]
    pub priorities: Vec<String>,
    /// One of them.
    #[serde(default)]
    pub states: Vec<Substatus>,
    /// At least so many in 24 h.
    pub users: Option<u64>,
    /// At least so many in 24 h.
    pub events: Option<u64>,
    pub unhandled: Option<bool>,
    pub spike: Option<bool>,
    /// Upper and lower case are the same.
    pub title_contains: Option<String>,
}

/// What Sentry says has become of an unresolved issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Substatus {
    New,
    Regressed,
    Escalating,
}

impl Substatus {
    /// Old servers don't say; there an issue is new for a day.
    pub fn of(issue: &Issue, now: DateTime<Utc>) -> Option<Self> {
        match issue.substatus.as_deref() {
            Some("new") => Some(Self::New),
            Some("regressed") => Some(Self::Regressed),
            Some("escalating") => Some(Self::Escalating),
            Some(_) => None,
            None => {
                let young = issue
                    .first_seen
                    .is_some_and(|seen| now - seen < TimeDelta::hours(24));
                young.then_some(Self::New)
            }
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regressed => "regressed",
            Self::Escalating => "escalating",
        }
    }
}

/// What the rules look at.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub level: &'a str,
    pub priority: Option<&'a str>,
    pub substatus: Option<Substatus>,
    /// In 24 h, as `events`.
    pub users: u64,
    pub events: u64,
    /// False if the two are upper bounds.
    pub exact: bool,
    pub unhandled: bool,
    pub spike: Option<Spike>,
    pub title: &'a str,
}

/// The severity by the first rule that fits, and what it saw against its limits. What fits no rule is low.
pub(super) fn judge(rules: &[Rule], facts: &Facts<'_>) -> (Severity, String) {
    rules
        .iter()
        .find(|rule| rule.fits(facts))
        .map(|rule| (rule.severity, rule.explain(facts)))
        .unwrap_or_else(|| (Severity::Low, format!("no rule fits: {}", seen(facts))))
}

impl Rule {
    /// A rule that fits every issue.
    pub(super) fn any(severity: Severity) -> Self {
        Self {
            severity,
            levels: Vec::new(),
            priorities: Vec::new(),
            states: Vec::new(),
            users: None,
            events: None,
            unhandled: None,
            spike: None,
            title_contains: None,
        }
    }

    pub fn validate(&self) -> anyhow::Result<()> {
        for (field, words, known) in [
            (
                "levels",
                &self.levels,
                &["fatal", "error", "warning", "info", "debug", "sample"][..],
            ),
            (
                "priorities",
                &self.priorities,
                &["high", "medium", "low"][..],
            ),
        ] {
            for word in words {
                ensure!(
                    known.contains(&word.as_str()),
                    "`{field}` holds {}, not `{}`",
                    known.join(", "),
                    crate::text::one_line(word)
                );
            }
        }
        let empty = self
            .title_contains
            .as_deref()
            .is_some_and(|text| text.trim().is_empty());
        ensure!(!empty, "`title_contains` is empty");
        Ok(())
    }

    fn fits(&self, facts: &Facts<'_>) -> bool {
        let one_of =
            |words: &[String], word: &str| words.is_empty() || words.iter().any(|w| w == word);
        one_of(&self.levels, facts.level)
            && one_of(&self.priorities, facts.priority.unwrap_or_default())
            && (self.states.is_empty()
                || facts
                    .substatus
                    .is_some_and(|substatus| self.states.contains(&substatus)))
            && self.users.is_none_or(|least| facts.users >= least)
            && self.events.is_none_or(|least| facts.events >= least)
            && self
                .unhandled
                .is_none_or(|wanted| facts.unhandled == wanted)
            && self
                .spike
                .is_none_or(|wanted| facts.spike.is_some() == wanted)
            && self
                .title_contains
                .as_deref()
                .is_none_or(|part| facts.title.to_lowercase().contains(&part.to_lowercase()))
    }

    /// The facts that this rule asked for, numbers against their limits.
    fn explain(&self, facts: &Facts<'_>) -> String {
        let mut parts = Vec::new();
        if let (Some(true), Some(spike)) = (self.spike, &facts.spike) {
            parts.push(format!("spike: {spike}"));
        }
        if !self.levels.is_empty() {
            parts.push(format!("level {}", facts.level));
        }
        if let (false, Some(priority)) = (self.priorities.is_empty(), facts.priority) {
            parts.push(format!("priority {priority}"));
        }
        if let (false, Some(substatus)) = (self.states.is_empty(), facts.substatus) {
            parts.push(substatus.as_str().to_owned());
        }
        if let Some(unhandled) = self.unhandled {
            parts.push(if unhandled { "unhandled" } else { "handled" }.to_owned());
        }
        if let Some(part) = &self.title_contains {
            parts.push(format!("title contains \"{part}\""));
        }
        if parts.is_empty() && self.users.is_none() && self.events.is_none() {
            return seen(facts);
        }
        if let Some(least) = self.users {
            parts.push(against(facts, facts.users, "user", least));
        }
        if let Some(least) = self.events {
            parts.push(against(facts, facts.events, "event", least));
        }
        if self.users.is_none() && self.events.is_none() && self.spike != Some(true) {
            parts.push(against(facts, facts.events, "event", 0));
        }
        parts.join(", ")
    }
}

/// "212 users in 24 h, limit 100"; a limit of one or none says nothing.
fn against(facts: &Facts<'_>, number: u64, noun: &str, least: u64) -> String {
    let limit = if least > 1 {
        format!(", limit {}", thousands(least))
    } else {
        String::new()
    };
    let at_most = if facts.exact { "" } else { "at most " };
    let number = count(usize::try_from(number).unwrap_or(usize::MAX), noun);
    format!("{at_most}{number} in 24 h{limit}")
}

fn seen(facts: &Facts<'_>) -> String {
    let level = if facts.level.is_empty() {
        "unknown"
    } else {
        facts.level
    };
    format!(
        "level {level}, {}",
        against(facts, facts.events, "event", 0)
    )
}
