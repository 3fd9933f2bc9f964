//! The check `errors` against a described Sentry.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    checks::{
        Check, Evaluation, Looking, Progress,
        errors::{Errors, Observation},
    },
    report::{Cause, Finding, Severity, Unknown},
    sandbox::time::Time,
};
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::world::{
    faults::{Fault, Plan, Proxy},
    sentry::{self, NAMELESS, Sentry, TOKEN, issue},
};

/// The check on the project `web` of `acme`, in a hurry.
pub(crate) fn check(url: &Url) -> Errors {
    let mut errors: Errors = toml::from_str("organization = 'acme'\nprojects = ['web']").unwrap();
    errors.url = url.clone();
    errors.settings.first_wait = Duration::from_millis(1);
    errors.settings.request = Duration::from_secs(5);
    errors.validate().unwrap();
    errors
}

pub(crate) fn looking(limit: Duration) -> Looking {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Looking {
        deadline: Instant::now() + limit,
        clock: Time::real().clock(),
        progress: Progress::default(),
        baselines: Default::default(),
        since: None,
        earlier: Arc::default(),
        secrets: Arc::new(
            [("SENTRY_AUTH_TOKEN".to_owned(), TOKEN.to_owned().into())]
                .into_iter()
                .collect(),
        ),
    }
}

/// Observes and judges; a check that could not look at all is unknown and found nothing.
pub(crate) async fn look(errors: &Errors, world: &Sentry) -> Evaluation {
    let seen = errors.observe(&looking(Duration::from_secs(20))).await;
    judge(errors, seen, world)
}

pub(crate) fn judge(
    errors: &Errors,
    seen: Result<Observation, Unknown>,
    world: &Sentry,
) -> Evaluation {
    match seen {
        Ok(seen) => errors.evaluate(&seen, world.world().now()),
        Err(unknown) => Evaluation {
            unknown: vec![unknown],
            ..Evaluation::default()
        },
    }
}

fn one(judged: &Evaluation, key: &str) -> Finding {
    judged
        .findings
        .iter()
        .find(|finding| finding.key.to_string() == key)
        .unwrap_or_else(|| panic!("no {key} in {judged:#?}"))
        .clone()
}

#[track_caller]
fn unknown(judged: &Evaluation, cause: Cause, said: &str) {
    let fits = |unknown: &Unknown| unknown.cause == cause && unknown.reason.as_str().contains(said);
    assert!(
        judged.unknown.iter().any(fits),
        "{cause:?} with `{said}` expected: {:#?}",
        judged.unknown
    );
}

#[track_caller]
fn known(judged: &Evaluation) {
    assert_eq!(judged.unknown, []);
}

#[tokio::test]
async fn an_issue_becomes_a_finding_with_its_rule_and_its_numbers() {
    let mut checkout = issue(4501, "checkout times out");
    checkout.users = 212;
    checkout.assignee = Some("team:9".to_owned());
    let world = sentry::with([checkout, issue(4502, "a typo")])
        .open()
        .await
        .expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(judged.summary.as_str(), "2 open (1 high)");
    let finding = one(&judged, "errors:4501");
    assert_eq!(
        (finding.severity, finding.rule.as_str()),
        (Severity::High, "212 users in 24 h, limit 100")
    );
    assert_eq!(
        (finding.title.as_str(), finding.magnitude),
        ("checkout times out", 3)
    );
    assert_eq!(finding.owner.unwrap().as_str(), "#payments");
    assert_eq!(
        finding.link.unwrap().as_str(),
        "https://acme.sentry.io/issues/4501/"
    );
    let evidence: Vec<&str> = finding.evidence.iter().map(|line| line.as_str()).collect();
    assert!(
        evidence.contains(&"events: 3 in 24 h, 42 in all")
            && evidence.contains(&"users: 212 in 24 h, 424 in all"),
        "{evidence:?}"
    );
    assert_eq!(
        one(&judged, "errors:4502").rule.as_str(),
        "level error, 3 events in 24 h"
    );
}

#[tokio::test]
async fn nothing_open_in_a_proved_scope_is_ok() {
    let world = sentry::with([]).open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(
        (judged.findings.len(), judged.summary.as_str()),
        (0, "0 open")
    );
}

#[tokio::test]
async fn five_thousand_issues_with_hostile_titles_are_all_read_and_harmless() {
    let titles = [
        "<script>alert(1)</script>",
        "\u{202e}drowssap\u{0}",
        "a\r\n2026-11-22 | forged | ok",
        "*_`[x](javascript:y)`_*",
        "<!channel> <@U1>",
        "💥",
        "",
        "password=hunter2secret",
    ];
    let mut world = sentry::with((1..=5000).map(|id| {
        issue(
            id,
            &format!(
                "{} {}",
                titles[id as usize % titles.len()],
                "x".repeat(id as usize % 900)
            ),
        )
    }));
    world.issues[7].title = json!(null);
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(judged.findings.len(), 5000);
    for finding in &judged.findings {
        let title = finding.title.as_str();
        assert!(
            !title.is_empty()
                && !title.chars().any(char::is_control)
                && !title.contains('\u{202e}'),
            "{title}"
        );
        assert!(!title.contains("hunter2"), "{title}");
    }
}

#[tokio::test]
async fn an_empty_list_for_a_token_without_projects_is_unknown() {
    let mut world = sentry::with([issue(1, "x")]);
    world.projects[0].accessible = false;
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(
        &judged,
        Cause::Forbidden,
        "the token may not look into the project `web`",
    );
    world.world().projects.clear();
    let judged = look(&check(&world.url()), &world).await;
    unknown(
        &judged,
        Cause::NotFound,
        "no project `web` that the token may see",
    );
    unknown(&judged, Cause::NotFound, "project:read");
}

#[tokio::test]
async fn an_empty_list_without_a_link_header_is_unknown_even_in_a_proved_scope() {
    let mut world = sentry::with([issue(1, "x")]);
    world.shows_no_issues = true;
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(
        &judged,
        Cause::Forbidden,
        "an empty list of issues of the last 90d and no `Link` header",
    );
}

#[tokio::test]
async fn one_project_of_two_that_is_missing_is_unknown_and_the_other_is_looked_at() {
    let world = sentry::with([issue(1, "x")])
        .open()
        .await
        .expect("it opens");
    let mut errors = check(&world.url());
    errors.projects.push("shop".to_owned());
    let judged = look(&errors, &world).await;
    unknown(&judged, Cause::NotFound, "no project `shop`");
    one(&judged, "errors:1");
}

#[tokio::test]
async fn short_and_empty_pages_do_not_end_a_list() {
    let mut world = sentry::with((1..=50).map(|id| issue(id, "x")));
    world.page = 5;
    for hidden in [0, 1, 2, 10, 11, 12, 13, 14, 30] {
        world.issues[hidden].filtered = true;
    }
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(judged.findings.len(), 41);
}

#[tokio::test]
async fn the_cursor_is_followed_on_the_configured_address_and_below_a_sub_path() {
    let mut world = sentry::with((1..=5).map(|id| issue(id, "x")));
    world.page = 2;
    let world = world.open().await.expect("it opens");
    let judged = look(
        &check(
            &format!("{}/", world.url().as_str().trim_end_matches('/'))
                .parse()
                .unwrap(),
        ),
        &world,
    )
    .await;
    known(&judged);
    let asked = world.world().asked.join("\n");
    assert!(
        asked
            .contains("statsPeriod=90d&groupStatsPeriod=14d&limit=100&project=11&cursor=0%3A4%3A0"),
        "{asked}"
    );
    let below = check(&format!("{}self/hosted", world.url()).parse().unwrap());
    look(&below, &world).await;
    assert!(
        world
            .world()
            .asked
            .last()
            .unwrap()
            .starts_with("GET /self/hosted/api/0/organizations/acme/projects/")
    );
}

#[tokio::test]
async fn an_item_without_an_id_is_a_gap_and_not_dropped_in_silence() {
    let world = sentry::with([issue(1, "x"), issue(NAMELESS, "y")])
        .open()
        .await
        .expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(
        &judged,
        Cause::Decode,
        "1 of Sentry's issues of the last 90d had no id",
    );
    one(&judged, "errors:1");
}

#[tokio::test]
async fn a_list_without_link_headers_is_unknown() {
    let mut world = sentry::with([issue(1, "x")]);
    world.loses_link = true;
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(&judged, Cause::Truncated, "no `Link` header");
    one(&judged, "errors:1");
}

#[tokio::test]
async fn a_cursor_that_repeats_is_an_error_and_no_loop() {
    let mut world = sentry::with((1..=9).map(|id| issue(id, "x")));
    world.page = 2;
    world.turns_in_circles = true;
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(&judged, Cause::Truncated, "the same cursor twice");
}

#[tokio::test]
async fn more_issues_than_allowed_are_read_in_part_and_unknown() {
    let world = sentry::with((1..=1300).map(|id| issue(id, "x")))
        .open()
        .await
        .expect("it opens");
    let mut errors = check(&world.url());
    errors.max_issues = 300;
    let judged = look(&errors, &world).await;
    unknown(
        &judged,
        Cause::Truncated,
        "read 300 of 1,000+ issues of the last 90d",
    );
    assert_eq!(
        (judged.findings.len(), judged.summary.as_str()),
        (300, "300 open, not all seen")
    );
}

#[tokio::test]
async fn the_deadline_keeps_what_was_read() {
    let mut world = sentry::with((1..=200).map(|id| issue(id, "x")));
    world.page = 1;
    let world = world.open().await.expect("it opens");
    let plan = Plan {
        fault: Fault::Slow,
        route: vec!["/issues/"],
        from: 20,
        times: usize::MAX,
    };
    let proxy = Proxy::before(world.address, plan).await;
    let errors = check(&proxy.url());
    let seen = errors.observe(&looking(Duration::from_millis(800))).await;
    let judged = judge(&errors, seen, &world);
    unknown(
        &judged,
        Cause::Truncated,
        "of 200 issues of the last 90d, then:",
    );
    assert!(!judged.findings.is_empty());
}

#[tokio::test]
async fn a_brown_out_is_unknown_and_an_announced_end_is_a_finding() {
    let world = sentry::with([issue(1, "x")])
        .open()
        .await
        .expect("it opens");
    world.world().deprecation = Some("2027-01-31T00:00:00+00:00".to_owned());
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    let finding = one(&judged, "errors:deprecated-route");
    assert_eq!(
        (finding.severity, finding.rule.as_str()),
        (
            Severity::Low,
            "Sentry announces the end for 2027-01-31T00:00:00+00:00"
        )
    );
    let asked = world.world().asked.join("\n");
    assert!(
        asked
            .lines()
            .all(|line| line.starts_with("GET /api/0/organizations/acme/")),
        "{asked}"
    );
}

#[tokio::test]
async fn a_brown_out_says_to_look_again() {
    let mut world = sentry::with([issue(1, "x")]);
    world.brown_out = true;
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    unknown(
        &judged,
        Cause::Gone,
        "answered 410 (\"This API no longer exists.\")",
    );
}

#[tokio::test]
async fn an_issue_that_moves_while_pages_are_read_is_read_all_the_same() {
    let mut world = sentry::with((1..=6).map(|id| issue(id, "x")));
    for place in 0..5 {
        world.issues[place].hourly[22] = 1;
    }
    world.issue(6).users = 212;
    world.page = 2;
    world.stirs = vec![6];
    let world = world.open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(judged.findings.len(), 6);
    assert_eq!(
        one(&judged, "errors:6").rule.as_str(),
        "212 users in 24 h, limit 100"
    );
    let day = |line: &&String| line.contains("statsPeriod=24h&groupStatsPeriod=24h");
    assert_eq!(world.world().asked.iter().filter(day).count(), 6);
}

#[tokio::test]
async fn a_rate_limit_without_retry_after_is_waited_out_by_its_reset() {
    for tells_reset in [true, false] {
        let mut world = sentry::with((1..=10).map(|id| issue(id, "x")));
        world.page = 2;
        world.allowance = Some(6);
        world.tells_reset = tells_reset;
        let world = world.open().await.expect("it opens");
        let judged = look(&check(&world.url()), &world).await;
        known(&judged);
        assert_eq!(judged.findings.len(), 10);
    }
}

#[tokio::test]
async fn dropped_events_are_said() {
    let mut world = sentry::with([issue(1, "x")]);
    world.outcomes = [
        ("accepted", 5000),
        ("rate_limited", 1234),
        ("filtered", 9),
        ("client_discard", 8),
    ]
    .map(|(k, v)| (k.to_owned(), v))
    .into();
    let world = world.open().await.expect("it opens");
    let errors = check(&world.url());
    let finding = one(&look(&errors, &world).await, "errors:dropped-events");
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(
        finding.title.as_str(),
        "Sentry drops events: 1,234 rate limited in 24 h; the counts below are too low"
    );
    assert_eq!(
        finding.rule.as_str(),
        "1,234 events dropped in 24 h, 5,000 accepted"
    );
    world
        .world()
        .outcomes
        .insert("rate_limited".to_owned(), 5001);
    assert_eq!(
        one(&look(&errors, &world).await, "errors:dropped-events").severity,
        Severity::High
    );
}

#[tokio::test]
async fn a_missing_scope_is_unknown_and_named() {
    for (scope, named) in [
        ("org:read", "org:read"),
        ("event:read", "event:read"),
        ("project:read", "project:read"),
    ] {
        let mut world = sentry::with([issue(1, "x")]);
        world.scopes.remove(scope);
        let world = world.open().await.expect("it opens");
        let judged = look(&check(&world.url()), &world).await;
        unknown(&judged, Cause::Forbidden, named);
    }
}

#[tokio::test]
async fn a_wrong_token_and_a_missing_one_are_unknown() {
    let world = sentry::with([issue(1, "x")])
        .open()
        .await
        .expect("it opens");
    world.world().token = "another".to_owned();
    let judged = look(&check(&world.url()), &world).await;
    unknown(&judged, Cause::Auth, "renew SENTRY_AUTH_TOKEN");
    assert!(!format!("{judged:?}").contains(TOKEN));
    let mut nothing = looking(Duration::from_secs(5));
    nothing.secrets = Arc::default();
    let why = check(&world.url()).observe(&nothing).await.unwrap_err();
    assert_eq!(why.cause, Cause::NotConfigured);
}

#[tokio::test]
async fn clocks_that_are_too_far_apart_are_unknown() {
    let world = sentry::with([issue(1, "x")])
        .open()
        .await
        .expect("it opens");
    for minutes in [-12, 12] {
        world.world().clock = TimeDelta::minutes(minutes);
        unknown(
            &look(&check(&world.url()), &world).await,
            Cause::ClockSkew,
            "set this machine's clock",
        );
    }
}

#[tokio::test]
async fn a_spike_is_found_in_the_history_that_sentry_sends() {
    let mut spiking = issue(1, "x");
    spiking.earlier_days = vec![40, 50, 60, 45, 55, 50, 50, 40, 60, 50, 45, 55, 480];
    let world = sentry::with([spiking]).open().await.expect("it opens");
    let finding = one(&look(&check(&world.url()), &world).await, "errors:1");
    assert_eq!(
        (finding.severity, finding.rule.as_str()),
        (
            Severity::High,
            "spike: 480 events in a day, normal 45 to 55"
        )
    );
}

#[tokio::test]
async fn an_issue_that_was_quiet_today_is_known_to_be_quiet() {
    let mut quiet = issue(1, "x");
    quiet.hourly = vec![0; 24];
    quiet.level = "fatal";
    let world = sentry::with([quiet]).open().await.expect("it opens");
    let judged = look(&check(&world.url()), &world).await;
    known(&judged);
    assert_eq!(
        one(&judged, "errors:1").rule.as_str(),
        "level fatal, 0 events in 24 h"
    );
}

#[tokio::test]
async fn the_configured_environments_and_period_are_asked_for() {
    let world = sentry::with([issue(1, "x")])
        .open()
        .await
        .expect("it opens");
    let mut errors = check(&world.url());
    errors.environments = vec!["production".to_owned(), "a&b".to_owned()];
    errors.lookback = Duration::from_secs(14 * 86_400);
    look(&errors, &world).await;
    let asked = world.world().asked.join("\n");
    assert!(asked.contains("statsPeriod=14d&groupStatsPeriod=14d&limit=100&project=11&environment=production&environment=a%26b"), "{asked}");
    assert!(
        asked.contains("statsPeriod=24h&groupStatsPeriod=24h&limit=100&project=11"),
        "{asked}"
    );
}
