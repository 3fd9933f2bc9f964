//! Twelve faults on each of the check's requests: what could not be read is never taken for ok.

use std::{sync::Arc, time::Duration};

use daily_ops::{
    checks::{Check, Evaluation},
    report::{Cause, Finding},
};
use url::Url;

use crate::{
    errors::{check, judge, look, looking},
    world::{
        faults::{Fault, Plan, Proxy, bad_certificate, closed_port, no_such_host},
        sentry::{self, Organization, Project, Sentry, issue},
    },
};

const READS: [&[&str]; 4] = [
    &["/projects/"],
    &["/issues/", "statsPeriod=90d"],
    &["/issues/", "statsPeriod=24h"],
    &["/stats_v2/"],
];

/// Three pages of each list.
fn described() -> Organization {
    let mut world = sentry::with((1..=6).map(|id| issue(id, "checkout times out")));
    for id in [12, 13, 14, 15, 16] {
        world.projects.insert(
            0,
            Project {
                id,
                slug: format!("p{id}"),
                accessible: true,
            },
        );
    }
    world.page = 2;
    world
}

/// Looks through a proxy that spoils the requests of the plan.
async fn look_through(world: &Sentry, plan: Plan, patience: Duration) -> (Evaluation, usize) {
    let slow = plan.fault == Fault::Slow;
    let proxy = Proxy::before(world.address, plan).await;
    let mut errors = check(&proxy.url());
    if slow {
        errors.settings.request = patience;
    }
    let seen = errors.observe(&looking(Duration::from_secs(20))).await;
    (judge(&errors, seen, world), proxy.struck())
}

/// Runs them side by side; one that fails fails the test.
pub(crate) async fn at_once<C: Future<Output = ()> + Send + 'static>(
    cases: impl Iterator<Item = C>,
) {
    cases.collect::<tokio::task::JoinSet<()>>().join_all().await;
}

#[tokio::test]
async fn a_lasting_fault_on_any_page_of_any_request_is_never_ok() {
    let world = Arc::new(described().open().await.expect("it opens"));
    let whole = Arc::new(look(&check(&world.url()), &world).await);
    assert_eq!(
        (whole.findings.len(), whole.unknown.len()),
        (6, 0),
        "{whole:?}"
    );
    assert_eq!(whole.unseen, Some(vec![]));
    for fault in Fault::of_requests() {
        let pages = READS
            .into_iter()
            .flat_map(|route| [1, 2].map(|from| (route, from)));
        let cases = pages.filter(|(route, from)| *from == 1 || route[0] != "/stats_v2/");
        at_once(cases.map(|(route, from)| {
            never_ok(Arc::clone(&world), Arc::clone(&whole), fault, route, from)
        }))
        .await;
    }
}

async fn never_ok(
    world: Arc<Sentry>,
    whole: Arc<Evaluation>,
    fault: Fault,
    route: &'static [&'static str],
    from: usize,
) {
    let case = format!("{fault:?} on request {from} of {route:?}");
    let plan = Plan {
        fault,
        route: route.to_vec(),
        from,
        times: usize::MAX,
    };
    let (judged, struck) = look_through(&world, plan, Duration::from_millis(300)).await;
    assert!(struck > 0, "{case} never happened");
    assert!(!judged.unknown.is_empty(), "{case} was taken for ok");
    assert!(
        judged
            .unknown
            .iter()
            .all(|unknown| unknown.reason.as_str().len() > 20),
        "{case}: {judged:?}"
    );
    let some_were_read = from == 2 && route[0] == "/issues/" || route[0] == "/stats_v2/";
    assert!(
        !some_were_read
            || matches!(fault, Fault::Refused | Fault::Slow)
            || !judged.findings.is_empty(),
        "{case} lost what was read"
    );
    let unseen = judged.unseen.as_ref().map(|keys| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.join(" ")
    });
    // A closed port spoils the other requests as well, and little patience may.
    let alone = !matches!(fault, Fault::Refused | Fault::Slow);
    if alone || route[0] != "/stats_v2/" {
        assert_eq!(
            unseen.as_deref(),
            (route[0] == "/stats_v2/").then_some("errors:dropped-events errors:deprecated-route"),
            "{case}"
        );
    }
    for finding in &judged.findings {
        let is_no_milder = |f: &Finding| f.key == finding.key && f.severity <= finding.severity;
        assert!(
            whole.findings.iter().any(is_no_milder),
            "{case}: {finding:?}"
        );
    }
}

#[tokio::test]
async fn a_passing_fault_is_retried_where_that_can_help() {
    let world = Arc::new(described().open().await.expect("it opens"));
    for fault in [
        Fault::ResetHalfWay,
        Fault::TruncatedBody,
        Fault::TooManyRequests,
        Fault::ServerError,
        Fault::Slow,
    ] {
        at_once(
            READS
                .into_iter()
                .map(|route| healed(Arc::clone(&world), fault, route)),
        )
        .await;
    }
}

async fn healed(world: Arc<Sentry>, fault: Fault, route: &'static [&'static str]) {
    let plan = Plan {
        fault,
        route: route.to_vec(),
        from: 1,
        times: 2,
    };
    let (judged, struck) = look_through(&world, plan, Duration::from_millis(1000)).await;
    assert_eq!(
        (struck, judged.unknown.len(), judged.findings.len()),
        (2, 0, 6),
        "{fault:?} on {route:?}: {judged:?}"
    );
}

#[tokio::test]
async fn what_a_second_try_cannot_change_is_not_tried_again() {
    let world = described().open().await.expect("it opens");
    for fault in [Fault::Unauthorized, Fault::Forbidden, Fault::Garbage] {
        let plan = Plan {
            fault,
            route: vec!["/stats_v2/"],
            from: 1,
            times: usize::MAX,
        };
        assert_eq!(
            look_through(&world, plan, Duration::from_millis(300))
                .await
                .1,
            1,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn each_fault_says_its_cause() {
    let world = described().open().await.expect("it opens");
    for (fault, cause) in [
        (Fault::Slow, Cause::Timeout),
        (Fault::Refused, Cause::Network),
        (Fault::ResetHalfWay, Cause::Network),
        (Fault::TruncatedBody, Cause::Network),
        (Fault::WrongLength, Cause::Decode),
        (Fault::Garbage, Cause::Decode),
        (Fault::Unauthorized, Cause::Auth),
        (Fault::Forbidden, Cause::Forbidden),
        (Fault::TooManyRequests, Cause::RateLimited),
        (Fault::ServerError, Cause::Upstream),
    ] {
        let plan = Plan {
            fault,
            route: vec!["/projects/"],
            from: 1,
            times: usize::MAX,
        };
        let (judged, _) = look_through(&world, plan, Duration::from_millis(300)).await;
        assert_eq!(judged.unknown[0].cause, cause, "{fault:?}: {judged:?}");
    }
    for (url, cause) in [
        (closed_port().await, Cause::Network),
        (no_such_host(), Cause::Network),
        (bad_certificate().await, Cause::Tls),
    ] {
        assert_eq!(look_at(&url, &world).await.unknown[0].cause, cause, "{url}");
    }
}

async fn look_at(url: &Url, world: &Sentry) -> Evaluation {
    let errors = check(url);
    let seen = errors.observe(&looking(Duration::from_secs(20))).await;
    judge(&errors, seen, world)
}
