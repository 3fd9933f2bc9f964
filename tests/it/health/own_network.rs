//! Everything failing together.

use daily_ops::checks::{Check, health::Control};
use insta::assert_snapshot;

use super::{endpoint, health, lines, look, now, observe};
use crate::world::endpoints::{Answer, Service, refusing};

#[tokio::test]
async fn everything_failing_with_the_control_address_is_our_own_network() {
    let endpoints = [
        endpoint("api", &refusing(), ""),
        endpoint("web", &refusing(), ""),
    ];
    let control = format!("control = \"{}\"", refusing());
    let judged = look(&health(&control, &endpoints)).await;
    assert_snapshot!(lines(&judged), @r#"
        high health:own-network | our own network: 2 endpoints and the control address 127.0.0.1 failed together | 0 of 2 endpoints answered, nor did the control address
        unknown OwnNetwork | 2 endpoints could not be seen: our own network failed; look at this machine's connection and DNS
        production 0 of 2 ok (2 unknown)
        "#);
}

#[tokio::test]
async fn everything_failing_while_the_control_address_answers_is_their_fault() {
    let endpoints = [
        endpoint("api", &refusing(), ""),
        endpoint("web", &refusing(), ""),
    ];
    let control = Service::start([Answer::default()]).await;
    let health = health(&format!("control = \"{}\"", control.url()), &endpoints);
    let seen = observe(&health).await;
    assert_eq!(seen.control, Control::Answered);
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        critical health:production/api | production api refuses connections | connection refused, 2 of 2 tries
        critical health:production/web | production web refuses connections | connection refused, 2 of 2 tries
        production 0 of 2 ok
        "#);
}

#[tokio::test]
async fn without_a_control_address_only_dns_on_several_hosts_is_our_own_network() {
    let judged = look(&health(
        "",
        &[
            endpoint("api", "http://api.invalid/", ""),
            endpoint("web", "http://web.invalid/", ""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        high health:own-network | our own network: 2 endpoints on 2 hosts failed together | 0 of 2 endpoints answered, all for want of DNS or a route
        unknown OwnNetwork | 2 endpoints could not be seen: our own network failed; look at this machine's connection and DNS
        production 0 of 2 ok (2 unknown)
        "#);
    let same_host = [
        endpoint("a", "http://api.invalid/a", ""),
        endpoint("b", "http://api.invalid/b", ""),
    ];
    assert_eq!(look(&health("", &same_host)).await.findings.len(), 2);
    let refused = [
        endpoint("a", &refusing(), ""),
        endpoint("b", &refusing(), ""),
    ];
    assert_eq!(look(&health("", &refused)).await.findings.len(), 2);
}

#[tokio::test]
async fn the_control_address_is_left_alone_while_anything_answers() {
    let up = Service::start([Answer::status(500)]).await;
    let control = Service::start([Answer::default()]).await;
    let health = health(
        &format!("control = \"{}\"", control.url()),
        &[
            endpoint("up", &up.url(), ""),
            endpoint("gone", &refusing(), ""),
        ],
    );
    let seen = observe(&health).await;
    assert_eq!(seen.control, Control::NotAsked);
    assert_eq!(health.evaluate(&seen, now()).findings.len(), 2);
}
