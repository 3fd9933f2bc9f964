//! The words of the trade as plain data: what one run of the checklist found. No I/O.

use std::{fmt, str::FromStr};

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{baseline::Measure, text::Untrusted};

/// The outcomes of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub run: RunId,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    /// In the order of the checklist; only the checks that were asked for.
    pub checks: Vec<CheckReport>,
}

impl Report {
    /// Of all findings, as the checks tell them.
    pub fn keys(&self) -> impl Iterator<Item = &FindingKey> {
        let findings = self.checks.iter().flat_map(|check| &check.findings);
        findings.map(|finding| &finding.key)
    }
}

/// Names a run by its start, to the microsecond: `20261122T090000.123456Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(String);

impl RunId {
    pub fn of(started_at: DateTime<Utc>) -> Self {
        Self(
            started_at
                .trunc_subsecs(6)
                .format("%Y%m%dT%H%M%S%.6fZ")
                .to_string(),
        )
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one check said in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    pub name: String,
    pub outcome: Outcome,
    /// What was found, also by a check that could look only in part; worst first.
    pub findings: Vec<Finding>,
    /// What could not be seen, if that is all of it. None: nothing of a check that looked, anything of an unknown one.
    #[serde(default)]
    pub unseen: Option<Vec<FindingKey>>,
    /// What was open and not found again, and may only be too old for this look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aged: Vec<Aged>,
    /// What was looked at, in a few words for the ops log: "staging 2 of 2 ok".
    pub summary: Untrusted,
    pub took_ms: u64,
    /// What it counted on whole days, for tomorrow's baselines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
}

/// A finding that is beyond what a check looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aged {
    pub key: FindingKey,
    /// Whether it needed nobody any more when the look began: then it is let go, and not called gone.
    pub is_settled: bool,
    #[serde(default)]
    pub beyond: Beyond,
}

/// Why a look would not have found something again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    #[default]
    TooOld,
    /// It is of something that is not configured any more.
    LeftOut,
}

/// Whether a check could look. There is no default, and `Unknown` is never ok.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It saw all that it had to see.
    Looked,
    /// Something could not be seen; the reasons are never empty.
    Unknown(Vec<Unknown>),
    /// Not configured.
    Off,
}

/// Why something could not be seen, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", reason.as_str())]
pub struct Unknown {
    pub cause: Cause,
    /// What was tried, what came back, what to do now.
    pub reason: Untrusted,
}

impl Unknown {
    pub fn new(cause: Cause, reason: impl Into<Untrusted>) -> Self {
        Self {
            cause,
            reason: reason.into(),
        }
    }
}

/// The closed set of reasons for `unknown`, fit for a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The credential was refused.
    Auth,
    /// The credential lacks a permission.
    Forbidden,
    /// What was configured is not there.
    NotFound,
    /// The route has been switched off, for good or for a brown-out.
    Gone,
    RateLimited,
    Timeout,
    Tls,
    Redirect,
    /// Refused, reset, no route, no such host.
    Network,
    /// The bot's own connection is down.
    OwnNetwork,
    /// The other side answered with a server error.
    Upstream,
    /// The answer was not what the documentation promises.
    Decode,
    /// Only a part could be read.
    Truncated,
    NotConfigured,
    ClockSkew,
    /// A rule of this program forbids to ask.
    Refused,
    /// Our own database or file.
    Store,
    Panic,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Gone => "gone",
            Self::RateLimited => "rate limited",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Redirect => "redirect",
            Self::Network => "network",
            Self::OwnNetwork => "own network",
            Self::Upstream => "upstream",
            Self::Decode => "decode",
            Self::Truncated => "truncated",
            Self::NotConfigured => "not configured",
            Self::ClockSkew => "clock skew",
            Self::Refused => "refused",
            Self::Store => "store",
            Self::Panic => "panic",
        }
    }
}

/// One thing that a person may need to act on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub key: FindingKey,
    pub severity: Severity,
    /// The rule and the numbers that gave the severity: "212 users in 24 h, limit 100".
    pub rule: Untrusted,
    pub title: Untrusted,
    /// The number by which rounds are compared (users, events, milliseconds ...): greater is worse.
    pub magnitude: u64,
    /// When it began, as far as the other side knows.
    pub began_at: Option<DateTime<Utc>>,
    /// When it last happened, where that is known apart from when it was seen.
    #[serde(default)]
    pub last_at: Option<DateTime<Utc>>,
    /// Who has it already, as the other side says.
    pub owner: Option<Untrusted>,
    pub link: Option<Url>,
    pub runbook: Option<Url>,
    pub remedies: Vec<Remedy>,
    /// Whether `resolve` means anything; if not, `handle` says that it was dealt with.
    #[serde(default = "yes")]
    pub can_be_resolved: bool,
    /// What was seen, a line each.
    pub evidence: Vec<Untrusted>,
}

impl Finding {
    /// One that is there or not, with nothing more to say about it.
    pub fn new(
        key: FindingKey,
        severity: Severity,
        rule: impl Into<Untrusted>,
        title: impl Into<Untrusted>,
    ) -> Self {
        Self {
            key,
            severity,
            rule: rule.into(),
            title: title.into(),
            magnitude: 1,
            began_at: None,
            last_at: None,
            owner: None,
            link: None,
            runbook: None,
            remedies: Vec::new(),
            can_be_resolved: true,
            evidence: Vec::new(),
        }
    }

    /// What its check offers to do about it under that verb.
    pub fn remedy(&self, verb: &str) -> Option<&Remedy> {
        self.remedies.iter().find(|remedy| remedy.verb == verb)
    }
}

fn yes() -> bool {
    true
}

/// How urgent a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a check can do about its own finding: a verb that it understands, and the button's label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    pub verb: String,
    pub label: String,
    /// What a person has to read before it is done, a line each; empty: it can be done at once.
    #[serde(default)]
    pub confirm: Vec<Untrusted>,
    /// What the check wants to be told again with the order, so that it does what was confirmed: "4900 eur".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
}

impl Remedy {
    pub fn new(verb: &str, label: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            label: label.to_owned(),
            confirm: Vec::new(),
            argument: None,
        }
    }

    /// One that is done only after a person has read these lines.
    pub fn confirmed(verb: Verb, confirm: Vec<Untrusted>) -> Self {
        Self {
            confirm,
            ..Self::new(verb.as_str(), verb.label())
        }
    }

    /// Names what a person has read: another digest where a line, or what the order carries, is another.
    pub fn digest(&self) -> String {
        let mut read = Sha256::new();
        let lines = self.confirm.iter().map(Untrusted::as_str);
        let argument = self.argument.as_deref().unwrap_or_default();
        for part in [self.verb.as_str(), argument].into_iter().chain(lines) {
            read.update((part.len() as u64).to_be_bytes());
            read.update(part);
        }
        hex::encode(&read.finalize()[..8])
    }

    /// With what the order has to carry.
    pub fn with(self, argument: String) -> Self {
        Self {
            argument: Some(argument),
            ..self
        }
    }
}

/// What a check can be asked to do beside resolving, assigning and archiving. The names are stored, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// An invoice, with the customer's means of payment.
    Pay,
    /// An invoice, to the customer by e-mail.
    Send,
    /// Events, by whoever failed to deliver them.
    Resend,
    /// Events, by us to our own endpoint.
    Replay,
}

impl Verb {
    pub const ALL: [Self; 4] = [Self::Pay, Self::Send, Self::Resend, Self::Replay];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Send => "send",
            Self::Resend => "resend",
            Self::Replay => "replay",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == name)
    }

    /// On a button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pay => "Pay again",
            Self::Send => "Send again",
            Self::Resend => "Resend",
            Self::Replay => "Replay",
        }
    }

    /// What was decided: "to be paid again".
    pub fn decided(self) -> &'static str {
        match self {
            Self::Pay => "to be paid again",
            Self::Send => "to be sent again",
            Self::Resend => "to be resent",
            Self::Replay => "to be replayed",
        }
    }

    /// Whether somebody is charged by it.
    pub fn moves_money(self) -> bool {
        self == Self::Pay
    }
}

/// Names a finding across runs: `errors:4501`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingKey {
    check: String,
    subject: String,
}

impl FindingKey {
    /// The subject is made one printable line without spaces.
    pub fn new(check: &str, subject: &str) -> Self {
        Self {
            check: check.to_owned(),
            subject: crate::text::one_line(subject).replace(' ', "-"),
        }
    }

    pub fn check(&self) -> &str {
        &self.check
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether `other` is the same subject or an aspect of it: `health:production/api/latency` of `health:production/api`.
    pub fn covers(&self, other: &Self) -> bool {
        let rest = other.subject.strip_prefix(&self.subject);
        self.check == other.check
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for FindingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.check, self.subject))
    }
}

/// A text that names no finding.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no finding's key: a key is CHECK:SUBJECT, such as `errors:4501`")]
pub struct NoKey(String);

impl FromStr for FindingKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        match text.split_once(':') {
            Some((check, subject))
                if !check.is_empty()
                    && !subject.is_empty()
                    && check.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                    && !subject.contains(char::is_whitespace) =>
            {
                Ok(Self {
                    check: check.to_owned(),
                    subject: subject.to_owned(),
                })
            }
            _ => Err(NoKey(crate::text::cut(&crate::text::one_line(text), 80))),
        }
    }
}

impl TryFrom<String> for FindingKey {
    type Error = NoKey;

    fn try_from(text: String) -> Result<Self, NoKey> {
        text.parse()
    }
}

impl From<FindingKey> for String {
    fn from(key: FindingKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_that_is_printed_reads_back(subject in "\\PC{1,40}") {
            let key = FindingKey::new("errors", &subject);
            prop_assume!(!key.subject().is_empty());
            prop_assert_eq!(key.to_string().parse::<FindingKey>(), Ok(key));
        }
    }

    #[test]
    fn a_text_without_a_check_is_no_key() {
        for text in ["4501", ":4501", "errors:", "Errors:1", "errors:a b"] {
            assert!(text.parse::<FindingKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_read_has_another_name_once_it_says_something_else() {
        let remedy = |lines: &[&str], argument: &str| {
            let lines = lines.iter().copied().map(Into::into).collect();
            Remedy::confirmed(Verb::Pay, lines).with(argument.to_owned())
        };
        let read = remedy(&["49 €", "3 attempts"], "4900 eur").digest();
        assert_eq!(read, remedy(&["49 €", "3 attempts"], "4900 eur").digest());
        for other in [
            remedy(&["49 €", "4 attempts"], "4900 eur"),
            remedy(&["49 €", "3 attempts"], "4901 eur"),
            remedy(&["49 €3 attempts"], "4900 eur"),
            remedy(&["49 €"], "4900 eur"),
        ] {
            assert_ne!(read, other.digest());
        }
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::ALL.is_sorted_by(|a, b| a > b));
    }
}
