//! The requests for tickets against GitHub's own description of its API, served by a mock server;
//! tests/contract/github.sh starts it.

use std::{sync::Arc, time::Duration};

use daily_ops::{ticket::TicketState, trackers::Read};

use super::{ensure, open, reopen, soon, tickets};
use crate::{
    sentry_contract::{Seen, relay},
    world::{skipped::needs, trackers::url},
};

#[tokio::test]
async fn githubs_own_document_accepts_the_requests() {
    let Some(mock) = needs(
        "GITHUB_CONTRACT_URL",
        "tickets against GitHub's description of its API",
    ) else {
        return;
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let seen = Seen::default();
    let world = url(relay(mock, Arc::clone(&seen), None).await);
    let toml = format!(
        "tracker = 'github'\n[github]\nrepository = 'octocat/Hello-World'\nurl = '{world}'\nassignees = ['octocat']"
    );
    let mut tickets = tickets(&toml);
    tickets.settings.request = Duration::from_secs(60);
    let tracker = tickets.tracker(Some("ghp_any".into()));
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.name, "octocat/Hello-World#1347");
    let remark = ensured.remark.unwrap();
    assert!(
        remark
            .as_str()
            .contains("dropped the labels daily-ops, payments, severity: high without"),
        "the example has another label: {}",
        remark.as_str()
    );
    let id = ensured.ticket.id;
    let ensured = ensure(&tracker, &reopen(&id)).await.unwrap();
    assert_eq!(ensured.ticket.state, TicketState::Open);
    let read = tracker
        .read(std::slice::from_ref(&id), soon())
        .await
        .unwrap();
    assert!(matches!(&read[&id], Read::Ticket(ticket) if ticket.state == TicketState::Closed));
    let seen = seen.lock().unwrap();
    for (request, status, objections) in seen.iter() {
        assert!(
            (200..300).contains(status) && objections.is_empty(),
            "{request}: {status} {objections}"
        );
    }
    let wrote = |method: &str| {
        seen.iter()
            .filter(|(request, ..)| request.starts_with(method))
            .count()
    };
    assert_eq!((wrote("POST"), wrote("PATCH")), (2, 1));
}
