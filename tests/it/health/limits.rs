//! Many endpoints, and little time.

use std::time::Duration;

use daily_ops::checks::Check;
use insta::assert_snapshot;
use tokio::time::Instant;

use super::{endpoint, health, lines, looking, now};
use crate::world::endpoints::{Answer, Fault, Service};

#[tokio::test]
async fn two_thousand_endpoints_are_asked_a_few_at_a_time() {
    let service = Service::start([Answer::default()]).await;
    let endpoints: Vec<String> = (0..2000)
        .map(|i| endpoint(&format!("e{i}"), &format!("{}/{i}", service.url()), ""))
        .collect();
    let health = health("concurrency = 32", &endpoints);
    let looking = looking(Duration::from_secs(60));
    let seen = health.observe(&looking).await.unwrap();
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @"production 2,000 of 2,000 ok");
    assert_eq!(looking.progress.get(), (2000, 2000));
    assert_eq!(service.asked(), 2000);
    assert!(
        (2..=32).contains(&service.most_at_once()),
        "{}",
        service.most_at_once()
    );
}

#[tokio::test]
async fn what_the_time_did_not_suffice_for_is_unknown_and_what_was_seen_stays() {
    let down = Service::start([Answer::status(503)]).await;
    let hanging = Service::start([Answer::fault(Fault::SlowHeaders)]).await;
    let mut endpoints = vec![endpoint("down", &down.url(), "")];
    endpoints
        .extend((0..50).map(|i| endpoint(&format!("h{i}"), &format!("{}/{i}", hanging.url()), "")));
    let health = health("timeout = \"30s\"\nconcurrency = 4", &endpoints);
    let limit = Duration::from_millis(500);
    let began = Instant::now();
    let seen = health.observe(&looking(limit)).await.unwrap();
    assert!(
        began.elapsed() < limit + Duration::from_millis(450),
        "{:?}",
        began.elapsed()
    );
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        unknown Timeout | 50 of 51 endpoints could not be seen within the time limit; raise `time_limit` in [checks.health]
        unknown Timeout | 1 endpoint looked bad once and could not be asked again within the time limit: production/down
        production 0 of 51 ok (51 unknown)
        "#);
}

#[tokio::test]
async fn what_looked_bad_is_confirmed_before_more_is_asked() {
    let down = Service::start([Answer::status(503)]).await;
    let hanging = Service::start([Answer::fault(Fault::SlowHeaders)]).await;
    let health = health(
        "concurrency = 1\nconfirm_after = \"0s\"",
        &[
            endpoint("down", &down.url(), ""),
            endpoint("hanging", &hanging.url(), ""),
        ],
    );
    let limit = Duration::from_millis(500);
    let seen = health.observe(&looking(limit)).await.unwrap();
    let judged = health.evaluate(&seen, now());
    assert_eq!(judged.findings.len(), 1, "{}", lines(&judged));
    assert_eq!(judged.unknown.len(), 1, "{}", lines(&judged));
}

#[tokio::test]
async fn what_looked_bad_and_was_not_confirmed_in_time_is_unknown() {
    let down = Service::start([Answer::status(503)]).await;
    let health = health(
        "confirm_after = \"30s\"",
        &[endpoint("down", &down.url(), "")],
    );
    let seen = health
        .observe(&looking(Duration::from_millis(300)))
        .await
        .unwrap();
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        unknown Timeout | 1 endpoint looked bad once and could not be asked again within the time limit: production/down
        production 0 of 1 ok (1 unknown)
        "#);
}
