//! Turns what was seen into findings and into what is unknown. Pure.

use chrono::{DateTime, Utc};
use url::Url;

use super::{
    CERTIFICATE, Endpoint, Health, LATENCY,
    judge::{self, Judgement, Trouble},
    own_network::own_network,
    seen::{Attempt, Observation, Seen},
    tally::{Reasons, Tally},
    unseen::unseen,
};
use crate::{
    checks::Evaluation,
    report::{Finding, Severity},
    text::{Untrusted, count, redact},
};

/// Fewer days than these left on a certificate are urgent.
const URGENT_DAYS: i64 = 3;

pub(super) fn evaluate(health: &Health, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
    let own_network = own_network(health, seen);
    let mut reasons = Reasons::default();
    let mut judged = Vec::with_capacity(health.endpoints.len());
    let mut findings = Vec::new();
    let mut tally = Tally::default();
    let endpoints = health.endpoints.iter();
    let missing = seen
        .endpoints
        .iter()
        .chain(std::iter::repeat(&Seen::NotAsked));
    for (endpoint, seen) in endpoints.zip(missing) {
        let judgement = judge::judgement(endpoint, seen);
        let before = findings.len();
        match judgement {
            Judgement::Bad { .. } | Judgement::Unconfirmed if own_network.is_some() => {
                reasons.own_network += 1;
            }
            Judgement::Bad { worst, other } => findings.push(bad(endpoint, seen, worst, other)),
            Judgement::Unconfirmed => reasons.unconfirmed.push(endpoint.subject()),
            Judgement::NotAsked => reasons.not_asked += 1,
            Judgement::CouldNot(unknown) => reasons.could_not.push(unknown.clone()),
            Judgement::Good => {}
        }
        findings.extend(certificate(endpoint, seen, now));
        let known =
            matches!(judgement, Judgement::Good | Judgement::Bad { .. }) && own_network.is_none();
        judged.push((endpoint, seen, judgement));
        tally.add(
            &endpoint.environment,
            known && findings.len() == before,
            known,
        );
    }
    let unseen = unseen(&judged, own_network.as_ref());
    findings.extend(own_network);
    Evaluation {
        unseen,
        findings,
        unknown: reasons.told(health.endpoints.len()),
        summary: tally.summary(),
    }
}

fn finding(endpoint: &Endpoint, aspect: &str, seen: &Seen) -> Finding {
    Finding {
        key: endpoint.key(aspect),
        severity: Severity::Medium,
        rule: Untrusted::default(),
        title: Untrusted::default(),
        magnitude: 1,
        began_at: None,
        last_at: None,
        owner: None,
        link: link(&endpoint.url),
        runbook: endpoint.runbook.clone(),
        remedies: Vec::new(),
        can_be_resolved: true,
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
            ..finding(endpoint, LATENCY, seen)
        };
    }
    let fact = match worst {
        Trouble::Failed(failure) => failure.fault.to_string(),
        Trouble::Status(_) | Trouble::Redirect { .. } => {
            format!("{worst}, expected {}", endpoint.status)
        }
        _ => worst.to_string(),
    };
    Finding {
        severity: endpoint.severity(),
        rule: format!("{fact}, {tries}").into(),
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
        format!("expired on {}", expires.format("%Y-%m-%d"))
    } else {
        format!("expires in {left}")
    };
    let mut found = finding(endpoint, CERTIFICATE, seen);
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
