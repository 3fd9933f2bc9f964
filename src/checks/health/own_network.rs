//! Tells the failure of this machine's own network from that of all endpoints at once. Pure.

use std::collections::HashSet;

use url::Url;

use super::{
    Check, Health, judge,
    seen::{Control, Fault, Observation},
};
use crate::{
    report::{Finding, FindingKey, Severity},
    text::{count, thousands},
};

/// Endpoints that the evidence names.
const NAMED: usize = 6;

/// One finding in the place of many, if everything that was tried failed on the way, and the control address too.
pub(super) fn own_network(health: &Health, seen: &Observation) -> Option<Finding> {
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
    let (with, also) = match &seen.control {
        Control::Answered => return None,
        Control::Failed(reason) if tried > 0 => {
            let host = health
                .control
                .as_ref()
                .and_then(Url::host_str)
                .unwrap_or_default();
            evidence.push(format!("the control address {host} {}", reason.as_str()).into());
            (
                format!(" and the control address {host}"),
                "nor did the control address",
            )
        }
        Control::Failed(_) => return None,
        Control::NotAsked if hosts.len() >= 2 && only_dns_or_routes => {
            let with = format!(" on {} hosts", thousands(hosts.len() as u64));
            (with, "all for want of DNS or a route")
        }
        Control::NotAsked => return None,
    };
    let endpoints = count(tried, "endpoint");
    let key = FindingKey::new(Health::NAME, "own-network");
    let rule = format!("0 of {endpoints} answered, {also}");
    let title = format!("our own network: {endpoints}{with} failed together");
    Some(Finding {
        evidence,
        ..Finding::new(key, Severity::High, rule, title)
    })
}
