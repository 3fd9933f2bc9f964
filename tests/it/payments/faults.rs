//! Ten faults on each of the check's requests: what could not be read is never taken for ok.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::checks::{Evaluation, payments::Payments};
use url::Url;

use super::stripe::{check, company, look, looking};
use crate::{
    errors_faults::at_once,
    world::{
        faults::{Fault, Plan, Proxy, bad_certificate, closed_port},
        stripe::{KEY, Stripe, dispute, endpoint, event, payment, payout},
    },
};

/// Each read, and whether it has a second page.
const READS: [(&[&str], bool); 10] = [
    (&["/v1/balance"], false),
    (&["/v1/events?", "delivery_success=false"], true),
    (&["/v1/events?", "delivery_success=true"], false),
    (&["/v1/events?", "types"], true),
    (&["/v1/events?", "type=invoice.sent"], false),
    (&["/v1/webhook_endpoints"], true),
    (&["/v1/invoices", "status=open"], true),
    (&["/v1/invoices", "status=draft"], false),
    (&["/v1/disputes"], true),
    (&["/v1/payouts"], true),
];

/// Two pages of nearly every list.
async fn described() -> Stripe {
    let types = ["customer.created", "customer.deleted", "customer.updated"];
    company()
        .with_all(types.map(|kind| {
            endpoint(&kind.replace("customer.", "we_"), "https://acme.example/x")
                .of_types(&["never.sent"])
        }))
        .with_all(types.map(|kind| {
            event(&kind.replace("customer.", "evt_"), kind)
                .ago(TimeDelta::hours(3))
                .missed_by("we_1")
        }))
        .with_all((0..3).map(|i| {
            payment(&format!("pi_x{i}"))
                .ago(TimeDelta::hours(i + 1))
                .declined("do_not_honor")
        }))
        .with_all((0..3).map(|i| dispute(&format!("dp_x{i}"))))
        .with_all((0..3).map(|i| payout(&format!("po_x{i}")).failed("account_closed")))
        .open()
        .await
        .expect("it opens")
}

/// With short pages.
fn hurried(url: &Url) -> Payments {
    Payments {
        rows: 2,
        ..check(url, "")
    }
}

async fn look_through(world: &Stripe, plan: Plan) -> (Evaluation, usize) {
    let slow = plan.fault == Fault::Slow;
    let proxy = Proxy::before(world.address, plan).await;
    let mut payments = hurried(&proxy.url());
    if slow {
        payments.settings.request = Duration::from_secs(4);
        payments.settings.retries = 0;
    }
    let judged = look(&payments, world, &looking(KEY, Duration::from_secs(60))).await;
    (judged, proxy.struck())
}

#[tokio::test]
async fn a_lasting_fault_on_any_page_of_any_request_is_never_ok() {
    let world = Arc::new(described().await);
    let whole = look(
        &hurried(&world.url()),
        &world,
        &looking(KEY, Duration::from_secs(60)),
    )
    .await;
    assert_eq!(whole.unknown, []);
    for fault in Fault::of_requests() {
        let pages = READS.into_iter().flat_map(|(route, second)| {
            let pages = if second { 2 } else { 1 };
            (1..=pages).map(move |from| (route, from))
        });
        at_once(pages.map(|(route, from)| never_ok(Arc::clone(&world), fault, route, from))).await;
    }
}

async fn never_ok(world: Arc<Stripe>, fault: Fault, route: &'static [&'static str], from: usize) {
    let case = format!("{fault:?} on request {from} of {route:?}");
    let plan = Plan {
        fault,
        route: route.to_vec(),
        from,
        times: usize::MAX,
    };
    let (judged, struck) = look_through(&world, plan).await;
    assert!(struck > 0, "{case} never happened");
    assert!(!judged.unknown.is_empty(), "{case} was taken for ok");
    assert!(
        judged
            .unseen
            .as_ref()
            .is_none_or(|unseen| !unseen.is_empty()),
        "{case} hides nothing"
    );
    for unknown in &judged.unknown {
        assert!(unknown.reason.as_str().len() > 20, "{case}: {unknown:?}");
    }
    let alone = !matches!(fault, Fault::Refused | Fault::Slow);
    assert!(
        !alone || from == 1 || !judged.findings.is_empty(),
        "{case} lost what was read"
    );
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_unknown() {
    let world = described().await;
    for url in [closed_port().await, bad_certificate().await] {
        let judged = look(
            &check(&url, ""),
            &world,
            &looking(KEY, Duration::from_secs(20)),
        )
        .await;
        assert!(judged.findings.is_empty());
        assert_eq!(judged.unknown.len(), 1, "{url}: {:?}", judged.unknown);
        assert_eq!(judged.unseen, None);
    }
}
