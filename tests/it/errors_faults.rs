//! Twelve faults on each of the check's requests: what could not be read is never taken for ok.

use std::time::Duration;

use daily_ops::{checks::Evaluation, report::Cause};
use url::Url;

use crate::{
    errors::{check, judge, look, looking},
    world::{
        faults::{Fault, Plan, Proxy, bad_certificate, closed_port, no_such_host},
        sentry::{Project, Sentry, World, issue},
    },
};
use daily_ops::checks::Check;

const READS: [&[&str]; 4] = [
    &["/projects/"],
    &["/issues/", "statsPeriod=90d"],
    &["/issues/", "statsPeriod=24h"],
    &["/stats_v2/"],
];

/// Three pages of each list.
fn described() -> World {
    let mut world = World::with((1..=6).map(|id| issue(id, "checkout times out")));
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
async fn look_through(world: &Sentry, plan: Plan) -> (Evaluation, usize) {
    let slow = plan.fault == Fault::Slow;
    let proxy = Proxy::before(world.address, plan).await;
    let mut errors = check(&proxy.url());
    errors.settings.request = Duration::from_millis(if slow { 400 } else { 5000 });
    let seen = errors.observe(&looking(Duration::from_secs(20))).await;
    (judge(&errors, seen, world), proxy.struck())
}

fn expected(fault: Fault, struck: usize) -> bool {
    struck > 0 || fault.is_of_address()
}

#[tokio::test]
async fn a_lasting_fault_on_any_page_of_any_request_is_never_ok() {
    let world = described().open().await;
    let whole = look(&check(&world.url()), &world).await;
    assert_eq!(
        (whole.findings.len(), whole.unknown.len()),
        (6, 0),
        "{whole:?}"
    );
    for fault in Fault::ALL
        .into_iter()
        .filter(|fault| !fault.is_of_address())
    {
        let cases = READS
            .into_iter()
            .flat_map(|route| [1, 2].map(|from| (route, from)))
            .filter(|(route, from)| *from == 1 || route[0] != "/stats_v2/");
        for (route, from) in cases {
            let plan = Plan {
                fault,
                route: route.to_vec(),
                from,
                times: usize::MAX,
            };
            let (judged, struck) = look_through(&world, plan).await;
            assert!(expected(fault, struck), "{fault:?} never hit {route:?}");
            assert!(
                !judged.unknown.is_empty(),
                "{fault:?} on request {from} of {route:?} was taken for ok"
            );
            for unknown in &judged.unknown {
                assert!(unknown.reason.as_str().len() > 20, "{unknown:?}");
            }
            let lists_begun = route[0] != "/projects/" && (from == 2 || route[0] == "/stats_v2/");
            assert!(
                !lists_begun || fault == Fault::Refused || !judged.findings.is_empty(),
                "{fault:?} on {route:?} lost what was read"
            );
            for finding in &judged.findings {
                assert!(
                    whole
                        .findings
                        .iter()
                        .any(|f| f.key == finding.key && f.severity <= finding.severity),
                    "{finding:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_passing_fault_is_retried_where_that_can_help() {
    let world = described().open().await;
    for fault in [
        Fault::ResetHalfWay,
        Fault::TruncatedBody,
        Fault::TooManyRequests,
        Fault::ServerError,
        Fault::Slow,
    ] {
        for route in READS {
            let plan = Plan {
                fault,
                route: route.to_vec(),
                from: 1,
                times: 2,
            };
            let (judged, struck) = look_through(&world, plan).await;
            assert_eq!(
                (struck, judged.unknown.len(), judged.findings.len()),
                (2, 0, 6),
                "{fault:?} on {route:?}: {judged:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_a_second_try_cannot_change_is_not_tried_again() {
    let world = described().open().await;
    for fault in [Fault::Unauthorized, Fault::Forbidden, Fault::Garbage] {
        let plan = Plan {
            fault,
            route: vec!["/stats_v2/"],
            from: 1,
            times: usize::MAX,
        };
        assert_eq!(look_through(&world, plan).await.1, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn each_fault_says_its_cause() {
    let world = described().open().await;
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
        let (judged, _) = look_through(&world, plan).await;
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
