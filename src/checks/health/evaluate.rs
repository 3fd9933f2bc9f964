//! Turns what was seen into findings and into what is unknown. Pure.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use chrono::{DateTime, Utc};
use url::Url;

use super::{
    Check, Endpoint, Health,
    judge::{self, Trouble, Verdict},
    seen::{Attempt, Control, Fault, Observation, Seen},
};
use crate::{
    checks::Evaluation,
    report::{Cause, Finding, FindingKey, Severity, Unknown},
    text::{Untrusted, count, redact, thousands},
};

/// Fewer days than these left on a certificate are urgent.
const URGENT_DAYS: i64 = 3;
/// Environments that the summary names, and endpoints that one reason names.
const NAMED: usize = 6;

pub(super) fn evaluate(health: &Health, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
    let own_network = own_network(health, seen);
    let mut blind = Blind::default();
    let mut findings = Vec::new();
    let mut tally = Tally::default();
    let endpoints = health.endpoints.iter();
    let missing = seen
        .endpoints
        .iter()
        .chain(std::iter::repeat(&Seen::NotAsked));
    for (endpoint, seen) in endpoints.zip(missing) {
        let verdict = judge::verdict(endpoint, seen);
        let before = findings.len();
        match verdict {
            Verdict::Bad { .. } | Verdict::Unconfirmed if own_network.is_some() => {
                blind.own_network += 1;
            }
            Verdict::Bad { worst, other } => findings.push(bad(endpoint, seen, worst, other)),
            Verdict::Unconfirmed => blind.unconfirmed.push(key(endpoint)),
            Verdict::NotAsked => blind.not_asked += 1,
            Verdict::CouldNot(unknown) => blind.could_not.push(unknown.clone()),
            Verdict::Good => {}
        }
        findings.extend(certificate(endpoint, seen, now));
        let known = matches!(verdict, Verdict::Good | Verdict::Bad { .. }) && own_network.is_none();
        tally.add(
            &endpoint.environment,
            known && findings.len() == before,
            known,
        );
    }
    findings.extend(own_network);
    Evaluation {
        findings,
        unknown: blind.reasons(health.endpoints.len()),
        summary: tally.summary(),
    }
}

/// "production/api".
fn key(endpoint: &Endpoint) -> String {
    format!("{}/{}", endpoint.environment, endpoint.name)
}

fn finding(endpoint: &Endpoint, aspect: &str, seen: &Seen) -> Finding {
    Finding {
        key: FindingKey::new(Health::NAME, &format!("{}{aspect}", key(endpoint))),
        severity: Severity::Medium,
        rule: Untrusted::default(),
        title: Untrusted::default(),
        magnitude: 1,
        began_at: None,
        owner: None,
        link: link(&endpoint.url),
        runbook: endpoint.runbook.clone(),
        remedies: Vec::new(),
        evidence: evidence(seen),
    }
}

/// Without what follows the path, and not at all if the path holds what looks like a secret.
fn link(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    (redact(url.as_str()) == url.as_str()).then_some(url)
}

fn bad(
    endpoint: &Endpoint,
    seen: &Seen,
    worst: Trouble<'_>,
    other: Option<Trouble<'_>>,
) -> Finding {
    let tries = match other {
        None => "2 of 2 tries".to_owned(),
        Some(other) => format!("1 of 2 tries, the other {other}"),
    };
    if let Trouble::Slow { latency, limit } = worst {
        let (latency, limit) = (latency.as_millis(), limit.as_millis());
        return Finding {
            rule: format!("{latency} ms, limit {limit} ms, {tries}").into(),
            title: format!("{} answers in {latency} ms", endpoint.title()).into(),
            magnitude: u64::try_from(latency).unwrap_or(u64::MAX),
            ..finding(endpoint, "/latency", seen)
        };
    }
    let expected = match worst {
        Trouble::Status(_) | Trouble::Redirect { .. } => format!(", expected {}", endpoint.status),
        _ => String::new(),
    };
    Finding {
        severity: endpoint.severity(),
        rule: format!("{worst}{expected}, {tries}").into(),
        title: format!("{} {worst}", endpoint.title()).into(),
        ..finding(endpoint, "", seen)
    }
}

fn certificate(endpoint: &Endpoint, seen: &Seen, now: DateTime<Utc>) -> Option<Finding> {
    let answers = seen
        .attempts()
        .iter()
        .filter_map(|a| a.result.as_ref().ok());
    let expires = answers.filter_map(|answer| answer.expires).min()?;
    let days = (expires - now).num_days();
    let limit = i64::from(endpoint.certificate_days);
    if days >= limit {
        return None;
    }
    let left = count(usize::try_from(days).unwrap_or(0), "day");
    let ends = if expires <= now {
        format!("has expired on {}", expires.format("%Y-%m-%d"))
    } else {
        format!("expires in {left}")
    };
    let mut found = finding(endpoint, "/certificate", seen);
    found.evidence.push(
        format!(
            "the certificate is valid until {}",
            expires.format("%Y-%m-%d %H:%M UTC")
        )
        .into(),
    );
    Some(Finding {
        severity: if days < URGENT_DAYS {
            Severity::High
        } else {
            Severity::Medium
        },
        rule: format!("{left} left, limit {limit}").into(),
        title: format!("{}: the certificate {ends}", endpoint.title()).into(),
        magnitude: u64::try_from(limit.max(30) - days).unwrap_or(1),
        ..found
    })
}

/// One line for each try: "09:00:04 first try: 503 in 41 ms: Service Unavailable".
fn evidence(seen: &Seen) -> Vec<Untrusted> {
    let tries = ["first try", "second try"];
    let line = |(attempt, which): (&Attempt, &str)| {
        let at = attempt.at.format("%H:%M:%S UTC");
        let ms = attempt.took.as_millis();
        match &attempt.result {
            Err(failure) => format!("{at} {which}: {} (after {ms} ms)", failure.reason.as_str()),
            Ok(answer) => {
                let ms = answer.latency.as_millis();
                let mut line = format!("{at} {which}: {} in {ms} ms", answer.status);
                for said in [&answer.moved_to, &answer.excerpt].into_iter().flatten() {
                    line.push_str(": ");
                    line.push_str(said.as_str());
                }
                line
            }
        }
    };
    let lines = seen.attempts().iter().zip(tries).map(line);
    lines.map(Untrusted::from).collect()
}

/// One finding in the place of many, if everything that was tried failed on the way, and the control address too.
fn own_network(health: &Health, seen: &Observation) -> Option<Finding> {
    let mut tried = 0;
    let mut hosts = HashSet::new();
    let mut evidence = Vec::new();
    let mut only_dns_or_routes = true;
    for (endpoint, seen) in health.endpoints.iter().zip(&seen.endpoints) {
        let attempts = seen.attempts();
        if attempts.is_empty() {
            continue;
        }
        if !attempts.iter().all(judge::is_network_failure) {
            return None;
        }
        only_dns_or_routes &= attempts
            .iter()
            .all(|a| matches!(judge::fault(a), Some(Fault::Dns | Fault::Unreachable)));
        tried += 1;
        hosts.insert(endpoint.url.host());
        if let Some(Err(failure)) = attempts.last().map(|a| &a.result)
            && evidence.len() < NAMED
        {
            evidence.push(format!("{} {}", endpoint.title(), failure.reason.as_str()).into());
        }
    }
    let with = match &seen.control {
        Control::Answered => return None,
        Control::Failed(reason) if tried > 0 => {
            let host = health
                .control
                .as_ref()
                .and_then(Url::host_str)
                .unwrap_or_default();
            evidence.push(format!("the control address {host} {}", reason.as_str()).into());
            format!(" and the control address {host}")
        }
        Control::Failed(_) => return None,
        Control::NotAsked if hosts.len() >= 2 && only_dns_or_routes => {
            format!(" on {} hosts", thousands(hosts.len() as u64))
        }
        Control::NotAsked => return None,
    };
    let endpoints = count(tried, "endpoint");
    Some(Finding {
        key: FindingKey::new(Health::NAME, "own-network"),
        severity: Severity::High,
        rule: format!("{endpoints}{with} failed together, none answered").into(),
        title: format!("our own network: {endpoints}{with} failed together").into(),
        magnitude: 1,
        began_at: None,
        owner: None,
        link: None,
        runbook: None,
        remedies: Vec::new(),
        evidence,
    })
}

/// What could not be seen, by its reason.
#[derive(Default)]
struct Blind {
    own_network: usize,
    not_asked: usize,
    unconfirmed: Vec<String>,
    could_not: Vec<Unknown>,
}

impl Blind {
    fn reasons(self, all: usize) -> Vec<Unknown> {
        let mut reasons = Vec::new();
        if self.own_network > 0 {
            let reason = format!(
                "{} could not be seen: our own network failed; look at this machine's connection and DNS",
                count(self.own_network, "endpoint")
            );
            reasons.push(Unknown::new(Cause::OwnNetwork, reason));
        }
        if self.not_asked > 0 {
            let reason = format!(
                "{} of {} not asked within the time limit; raise `time_limit` in [checks.health]",
                thousands(self.not_asked as u64),
                count(all, "endpoint")
            );
            reasons.push(Unknown::new(Cause::Timeout, reason));
        }
        if !self.unconfirmed.is_empty() {
            let reason = format!(
                "{} looked bad once and could not be asked again within the time limit: {}",
                count(self.unconfirmed.len(), "endpoint"),
                listed(&self.unconfirmed)
            );
            reasons.push(Unknown::new(Cause::Timeout, reason));
        }
        let more = self.could_not.len().saturating_sub(NAMED);
        let more_cause = self.could_not.get(NAMED).map(|unknown| unknown.cause);
        reasons.extend(self.could_not.into_iter().take(NAMED));
        if let Some(cause) = more_cause {
            let reason = format!("{} more could not be asked either", count(more, "endpoint"));
            reasons.push(Unknown::new(cause, reason));
        }
        reasons
    }
}

/// "production/api, production/web and 3 more".
fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more as u64)),
    }
}

/// How many endpoints of an environment are ok, in the order of the configuration.
#[derive(Default)]
struct Tally<'a> {
    environments: Vec<(&'a str, Count)>,
    places: HashMap<&'a str, usize>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    ok: u64,
    all: u64,
    unknown: u64,
}

impl<'a> Tally<'a> {
    fn add(&mut self, environment: &'a str, ok: bool, known: bool) {
        let environments = &mut self.environments;
        let place = *self.places.entry(environment).or_insert_with(|| {
            environments.push((environment, Count::default()));
            environments.len() - 1
        });
        let (_, count) = &mut environments[place];
        count.ok += u64::from(ok);
        count.all += 1;
        count.unknown += u64::from(!known);
    }

    /// "production 3 of 4 ok, staging 2 of 2 ok".
    fn summary(&self) -> Untrusted {
        let part = |name: &str, count: Count| {
            let mut part = format!(
                "{name} {} of {} ok",
                thousands(count.ok),
                thousands(count.all)
            );
            if count.unknown > 0 {
                let _ = write!(part, " ({} unknown)", thousands(count.unknown));
            }
            part
        };
        let (named, rest) = self
            .environments
            .split_at(self.environments.len().min(NAMED));
        let mut parts: Vec<String> = named
            .iter()
            .map(|(name, count)| part(name, *count))
            .collect();
        if !rest.is_empty() {
            let sum = rest.iter().fold(Count::default(), |sum, (_, count)| Count {
                ok: sum.ok + count.ok,
                all: sum.all + count.all,
                unknown: sum.unknown + count.unknown,
            });
            parts.push(part(&count_of_more(rest.len()), sum));
        }
        parts.join(", ").into()
    }
}

fn count_of_more(environments: usize) -> String {
    format!("{} more", count(environments, "environment"))
}
