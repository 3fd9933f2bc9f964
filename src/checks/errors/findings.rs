//! Turns what was seen of Sentry into findings. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::{
    Errors, Observation, Seen,
    observe::Drops,
    rules::{self, Facts, Substatus},
    spike,
};
use crate::{
    address::holds_credentials,
    checks::{Check, Evaluation},
    report::{Cause, Finding, FindingKey, Remedy, Severity, Unknown},
    text::{Untrusted, count, thousands},
};

/// The difference between two clocks above which times can't be judged.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(5);

const DROPPED_EVENTS: &str = "dropped-events";
const DEPRECATED_ROUTE: &str = "deprecated-route";

/// What Sentry does with events that it doesn't keep against the owner's wish: its limits, not the owner's filters.
const DROPPED: [(&str, &str); 3] = [
    ("rate_limited", "rate limited"),
    ("cardinality_limited", "over the cardinality limit"),
    ("abuse", "held back as abuse"),
];

pub(super) fn evaluate(section: &Errors, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
    let mut findings: Vec<Finding> = seen
        .issues
        .iter()
        .map(|issue| finding(section, issue, now))
        .collect();
    let (drops, no_drops) = match &seen.drops {
        Some(Ok(drops)) => (Some(drops), None),
        Some(Err(unknown)) => (None, Some(unknown.clone())),
        None => (None, None),
    };
    let summary = summary(&findings, seen.gaps.is_empty() && no_drops.is_none());
    findings.extend(drops.and_then(|drops| dropped(section, drops)));
    findings.extend(seen.notices.deprecations.first().map(deprecated));
    let mut unknown = seen.gaps.clone();
    unknown.extend(seen.notices.skew.and_then(skewed));
    // What hides no issue hides what only its own answer would tell: drops, and the end of its route.
    let unseen = unknown.is_empty().then(|| match no_drops {
        Some(_) => [DROPPED_EVENTS, DEPRECATED_ROUTE].map(key).to_vec(),
        None => Vec::new(),
    });
    unknown.extend(no_drops);
    unknown.extend(without_history(seen));
    Evaluation {
        unseen,
        findings,
        unknown,
        summary,
    }
}

fn key(subject: &str) -> FindingKey {
    FindingKey::new(Errors::NAME, subject)
}

/// "3 open (1 critical)".
fn summary(findings: &[Finding], complete: bool) -> Untrusted {
    let worst: Vec<String> = [Severity::Critical, Severity::High]
        .into_iter()
        .map(|severity| {
            (
                severity,
                findings
                    .iter()
                    .filter(|finding| finding.severity == severity)
                    .count(),
            )
        })
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{} {severity}", thousands(number as u64)))
        .collect();
    let rest = if complete { "" } else { ", not all seen" };
    let open = thousands(findings.len() as u64);
    let worst = if worst.is_empty() {
        String::new()
    } else {
        format!(" ({})", worst.join(", "))
    };
    Untrusted::from(format!("{open} open{worst}{rest}"))
}

/// The magnitude is always the events of 24 h: users are not known for every issue, and a number that changed its
/// meaning between two rounds could not be compared.
fn finding(section: &Errors, seen: &Seen, now: DateTime<Utc>) -> Finding {
    let issue = &seen.issue;
    let facts = Facts {
        level: &issue.level,
        priority: issue.priority.as_deref(),
        substatus: Substatus::of(issue, now),
        users: seen.users,
        events: seen.events,
        exact: seen.exact,
        unhandled: issue.unhandled,
        spike: spike::find(issue, &section.spike, now),
        title: issue.title.as_str(),
    };
    let (severity, rule) = rules::judge(&section.rules, &facts);
    Finding {
        key: key(&issue.id),
        severity,
        rule: rule.into(),
        title: issue.title.clone(),
        magnitude: seen.events,
        began_at: issue.first_seen,
        last_at: issue.last_seen,
        owner: issue
            .assignee
            .as_ref()
            .map(|assignee| assignee.name.clone()),
        link: issue
            .permalink
            .as_deref()
            .and_then(|link| trusted_link(link, &section.url)),
        runbook: None,
        remedies: vec![
            Remedy::new("resolve", "Resolve in Sentry"),
            Remedy::new("assign", "Assign in Sentry"),
            Remedy::new("archive", "Archive until it escalates"),
        ],
        can_be_resolved: true,
        evidence: evidence(seen, &facts),
    }
}

fn evidence(seen: &Seen, facts: &Facts<'_>) -> Vec<Untrusted> {
    let issue = &seen.issue;
    let mut lines = Vec::new();
    if !issue.culprit.is_empty() && issue.culprit != issue.title {
        lines.push(format!("culprit: {}", issue.culprit.as_str()));
    }
    let name = [issue.short_id.as_str(), issue.project.as_str()];
    lines.push(format!(
        "issue: {}",
        name.into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" in ")
    ));
    let at_most = if seen.exact { "" } else { "at most " };
    let ever = |number: Option<u64>| number.map_or("an unknown number".to_owned(), thousands);
    lines.push(format!(
        "events: {at_most}{} in 24 h, {} in all",
        thousands(seen.events),
        ever(issue.events_ever)
    ));
    lines.push(format!(
        "users: {at_most}{} in 24 h, {} in all",
        thousands(seen.users),
        ever(issue.users_ever)
    ));
    let time = |time: Option<DateTime<Utc>>| {
        time.map_or("unknown".to_owned(), |time| {
            time.format("%Y-%m-%d %H:%M UTC").to_string()
        })
    };
    lines.push(format!(
        "seen: first {}, last {}",
        time(issue.first_seen),
        time(issue.last_seen)
    ));
    let words = [
        issue
            .substatus
            .as_deref()
            .or(facts.substatus.map(Substatus::as_str)),
        Some(if issue.unhandled {
            "unhandled"
        } else {
            "handled"
        }),
    ];
    lines.push(format!(
        "state: {}",
        words
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
            .replace('_', " ")
    ));
    lines.extend(facts.spike.as_ref().map(|spike| format!("spike: {spike}")));
    lines.into_iter().map(Untrusted::from).collect()
}

/// An issue's own link, if it leads to the configured Sentry or to sentry.io.
fn trusted_link(link: &str, base: &Url) -> Option<Url> {
    let link = Url::parse(link).ok()?;
    let host = link.host_str()?.to_ascii_lowercase();
    let fits = host == "sentry.io"
        || host.ends_with(".sentry.io")
        || Some(host.as_str()) == base.host_str();
    let clean = matches!(link.scheme(), "http" | "https") && !holds_credentials(&link);
    (fits && clean).then_some(link)
}

fn dropped(section: &Errors, drops: &Drops) -> Option<Finding> {
    let said: Vec<String> = DROPPED
        .into_iter()
        .map(|(outcome, said)| (drops.number(outcome), said))
        .filter(|(number, _)| *number > 0)
        .map(|(number, said)| format!("{} {said}", thousands(number)))
        .collect();
    let number = DROPPED
        .into_iter()
        .map(|(outcome, _)| drops.number(outcome))
        .sum();
    if number == 0 {
        return None;
    }
    let accepted = drops.number("accepted");
    Some(Finding {
        key: key(DROPPED_EVENTS),
        severity: if number > accepted {
            Severity::High
        } else {
            Severity::Medium
        },
        rule: format!(
            "{} dropped in 24 h, {} accepted",
            count(usize::try_from(number).unwrap_or(usize::MAX), "event"),
            thousands(accepted)
        )
        .into(),
        title: format!(
            "Sentry drops events: {} in 24 h; the counts below are too low",
            said.join(", ")
        )
        .into(),
        magnitude: number,
        began_at: None,
        last_at: None,
        owner: None,
        link: None,
        runbook: None,
        remedies: Vec::new(),
        can_be_resolved: true,
        evidence: std::iter::once(format!("projects: {}", section.projects.join(", ")))
            .chain(drops.0.iter().map(|(outcome, number)| {
                format!(
                    "{}: {} events in 24 h",
                    outcome.replace('_', " "),
                    thousands(*number)
                )
            }))
            .map(Untrusted::from)
            .collect(),
    })
}

/// Issues that happen now, but came without the counts by which a spike is judged.
fn without_history(seen: &Observation) -> Option<Unknown> {
    let bare = |seen: &&Seen| {
        seen.events > 0 && seen.issue.hourly.is_empty() && seen.issue.daily.is_empty()
    };
    let number = seen.issues.iter().filter(bare).count();
    let reason = format!(
        "Sentry sent no history for {}, so whether they spike is not known",
        count(number, "issue")
    );
    (number > 0).then(|| Unknown::new(Cause::Decode, reason))
}

fn deprecated(date: &Untrusted) -> Finding {
    let key = key(DEPRECATED_ROUTE);
    let rule = format!("Sentry announces the end for {}", date.as_str());
    let title = "Sentry will switch off a route that this check uses; update daily-ops before that";
    let evidence = vec![format!("X-Sentry-Deprecation-Date: {}", date.as_str()).into()];
    Finding {
        evidence,
        ..Finding::new(key, Severity::Low, rule, title)
    }
}

fn skewed(skew: TimeDelta) -> Option<Unknown> {
    let ahead = if skew > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let reason = format!(
        "Sentry's clock is {} min {ahead} ours, so its times can't be judged; set this machine's clock by NTP",
        skew.num_minutes().abs()
    );
    (skew.abs() > MOST_SKEW).then(|| Unknown::new(Cause::ClockSkew, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_configured_sentry_or_nowhere() {
        let base = "https://sentry.example.com/x/".parse().unwrap();
        for link in [
            "https://sentry.example.com/issues/1/",
            "https://acme.sentry.io/issues/1/",
            "https://sentry.io/1",
        ] {
            assert!(trusted_link(link, &base).is_some(), "{link}");
        }
        for link in [
            "javascript:alert(1)",
            "https://evil.example/",
            "https://sentry.io.evil.example/",
            "https://notsentry.io/",
            "https://sentry.io@evil.example/",
            "https://a:b@sentry.io/",
            "/issues/1",
            "",
        ] {
            assert!(trusted_link(link, &base).is_none(), "{link}");
        }
    }

    #[test]
    fn a_clock_that_is_five_minutes_off_is_let_pass_and_six_is_not() {
        assert_eq!(skewed(TimeDelta::minutes(-5)), None);
        let reason = skewed(TimeDelta::minutes(-6)).unwrap().reason;
        assert_eq!(
            reason.as_str(),
            "Sentry's clock is 6 min behind ours, so its times can't be judged; set this machine's clock by NTP"
        );
    }
}
