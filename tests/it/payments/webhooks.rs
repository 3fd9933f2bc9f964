//! Endpoints that are off, and events that did not arrive.

use chrono::TimeDelta;
use daily_ops::{
    checks::payments::{Endpoint, Event, Seen},
    report::{Cause, Severity, Unknown},
};
use serde_json::Value;

use super::{endpoint, event, judge, judge_with, keys, only, read, shown, well};

const HOUR: TimeDelta = TimeDelta::hours(1);

fn seen(endpoints: Vec<Value>, undelivered: Vec<Value>) -> Seen {
    Seen {
        endpoints: read(Endpoint::read, endpoints),
        undelivered: read(Event::read, undelivered),
        delivered: Some(Ok(Vec::new())),
        ..well()
    }
}

#[test]
fn an_event_that_is_on_its_way_is_no_finding() {
    let judged = judge(seen(
        vec![endpoint("we_1", "enabled", &["*"])],
        vec![event("evt_1", "invoice.paid", TimeDelta::minutes(14), 1)],
    ));
    assert!(judged.findings.is_empty());
    assert_eq!(judged.summary.as_str(), "1 on the way");
}

#[test]
fn an_event_is_due_from_a_quarter_of_an_hour_and_given_up_after_three_days() {
    for (age, severity, said) in [
        (TimeDelta::minutes(15), Severity::Medium, "limit 50"),
        (TimeDelta::hours(71), Severity::Medium, "limit 50"),
        (TimeDelta::days(3), Severity::High, "Stripe won't try again"),
    ] {
        let judged = judge(seen(
            vec![endpoint("we_1", "enabled", &["invoice.paid"])],
            vec![event("evt_1", "invoice.paid", age, 1)],
        ));
        let finding = only(&judged);
        assert_eq!(finding.severity, severity, "{age}");
        assert!(finding.rule.as_str().contains(said), "{finding:?}");
    }
}

#[test]
fn a_disabled_endpoint_is_critical_and_takes_what_it_misses_with_it() {
    let world = || {
        seen(
            vec![
                endpoint("we_1", "disabled", &["invoice.paid"]),
                endpoint("we_2", "enabled", &["charge.failed"]),
            ],
            vec![event("evt_1", "invoice.paid", HOUR, 1)],
        )
    };
    let judged = judge(world());
    let finding = only(&judged);
    assert_eq!(finding.key.to_string(), "payments:endpoint/we_1");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(shown(finding).contains("evt_1"), "{finding:#?}");
    assert!(shown(finding).contains("`endpoints_off`"));
    for off in ["we_1", "https://hooks.example.com/we_1"] {
        let judged = judge_with(&format!("endpoints_off = ['{off}']"), world());
        assert_eq!(keys(&judged), [""; 0], "{off} may be off");
    }
}

#[test]
fn an_endpoint_that_nothing_reaches_is_one_cause() {
    let kinds = ["invoice.paid", "charge.failed", "customer.created"];
    let events = kinds.iter().enumerate().map(|(i, kind)| {
        event(
            &format!("evt_{i}"),
            kind,
            HOUR * (i32::try_from(i).unwrap() + 1),
            1,
        )
    });
    let judged = judge(seen(
        vec![endpoint("we_1", "enabled", &["*"])],
        events.collect(),
    ));
    let finding = only(&judged);
    assert_eq!(finding.key.to_string(), "payments:webhooks/we_1/all");
    assert_eq!(
        finding.title.as_str(),
        "nothing reaches https://hooks.example.com/we_1: 3 events of 3 types not delivered"
    );
    let shown = shown(finding);
    assert!(
        shown.contains(
            "oldest: evt_2 2026-11-23 06:00 UTC https://dashboard.stripe.com/events/evt_2"
        ),
        "{shown}"
    );
    assert!(shown.contains("newest: evt_0"), "{shown}");
    assert!(
        shown.contains("stripe events resend evt_0 --webhook-endpoint=we_1 --live"),
        "{shown}"
    );
}

#[test]
fn types_that_come_and_go_at_one_endpoint_are_one_finding() {
    let of = |kinds: &[&str], reached: bool| {
        let undelivered = kinds.iter().enumerate();
        let undelivered =
            undelivered.map(|(i, kind)| event(&format!("evt_{i}"), kind, HOUR * 3, 1));
        let mut world = seen(
            vec![endpoint("we_1", "enabled", &["*"])],
            undelivered.collect(),
        );
        let delivered = event("evt_9", "customer.created", HOUR, 0);
        world.delivered = Some(Ok(read(Event::read, reached.then_some(delivered)).items));
        judge(world)
    };
    for kinds in [&["invoice.paid"][..], &["invoice.paid", "charge.failed"]] {
        for reached in [false, true] {
            assert_eq!(keys(&of(kinds, reached)), ["payments:webhooks/we_1/all"]);
        }
    }
    let judged = of(&["invoice.paid", "invoice.paid"], true);
    assert_eq!(
        only(&judged).title.as_str(),
        "2 events invoice.paid not delivered to https://hooks.example.com/we_1"
    );
    assert!(shown(only(&judged)).contains("other events reached it meanwhile"));
}

#[test]
fn what_one_of_several_missed_and_what_nobody_takes_are_two_findings() {
    let kinds = [
        "invoice.paid",
        "invoice.sent",
        "charge.failed",
        "charge.refunded",
    ];
    let events = kinds.iter().enumerate();
    let events = events.map(|(i, kind)| event(&format!("evt_{i}"), kind, HOUR, 1));
    let judged = judge(seen(
        vec![
            endpoint("we_1", "enabled", &["invoice.*"]),
            endpoint("we_2", "enabled", &["invoice.*"]),
        ],
        events.collect(),
    ));
    assert_eq!(
        keys(&judged),
        ["payments:webhooks/all/all", "payments:webhooks/none/all"]
    );
}

#[test]
fn a_connect_endpoint_takes_what_happens_in_connected_accounts_only() {
    let connect = |id: &str| {
        let mut connect = endpoint(id, "enabled", &["*"]);
        connect["application"] = "ca_1".into();
        connect
    };
    let own = endpoint("we_1", "enabled", &["*"]);
    let undelivered = || vec![event("evt_1", "invoice.paid", HOUR, 1)];
    let judged = judge(seen(vec![own.clone(), connect("we_2")], undelivered()));
    assert_eq!(keys(&judged), ["payments:webhooks/we_1/all"]);
    let mut connected = seen(vec![], undelivered());
    connected.account = Some("acct_7".to_owned());
    let observed = daily_ops::checks::payments::Observation {
        key: Some(daily_ops::checks::payments::Mode::Live),
        accounts: vec![seen(vec![own, connect("we_2")], vec![]), connected],
        ..Default::default()
    };
    use daily_ops::checks::Check;
    let judged = super::section("accounts = ['acct_7']").evaluate(&observed, super::now());
    assert_eq!(keys(&judged), ["payments:acct_7/webhooks/we_2/all"]);
}

#[test]
fn which_of_two_endpoints_missed_an_event_is_not_guessed() {
    let world = |pending| {
        seen(
            vec![
                endpoint("we_1", "enabled", &["invoice.paid"]),
                endpoint("we_2", "enabled", &["*"]),
            ],
            vec![event("evt_1", "invoice.paid", HOUR, pending)],
        )
    };
    let judged = judge(world(1));
    let finding = only(&judged);
    assert_eq!(finding.key.to_string(), "payments:webhooks/all/all");
    assert!(shown(finding).contains("doesn't say which of these missed them: we_1, we_2"));
    for endpoint in ["we_1", "we_2"] {
        let command = format!("stripe events resend evt_1 --webhook-endpoint={endpoint} --live");
        assert!(shown(finding).contains(&command));
    }
    assert_eq!(
        keys(&judge(world(2))),
        ["payments:webhooks/we_1/all", "payments:webhooks/we_2/all"],
        "both miss it"
    );
}

#[test]
fn an_event_that_no_endpoint_takes_any_more_is_still_said() {
    let judged = judge(seen(
        vec![],
        vec![event("evt_1", "invoice.paid", HOUR * 80, 1)],
    ));
    let finding = only(&judged);
    assert_eq!(finding.key.to_string(), "payments:webhooks/none/all");
    assert!(
        finding
            .title
            .as_str()
            .contains("no endpoint takes them any more")
    );
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn without_the_endpoints_the_events_are_said_and_the_rest_is_unknown() {
    let mut world = seen(vec![], vec![event("evt_1", "invoice.paid", HOUR, 1)]);
    let gap = Unknown::new(Cause::Forbidden, "give the key `Webhook Endpoints: read`");
    world.endpoints.gaps.push(gap.clone());
    let judged = judge(world);
    assert_eq!(
        only(&judged).title.as_str(),
        "1 event invoice.paid not delivered"
    );
    assert_eq!(judged.unknown, [gap]);
}

#[test]
fn what_was_not_read_to_its_end_is_said_as_more() {
    let mut world = seen(
        vec![endpoint("we_1", "enabled", &["*"])],
        (0..1000)
            .map(|i| event(&format!("evt_{i}"), "invoice.paid", HOUR, 1))
            .collect(),
    );
    world
        .undelivered
        .gaps
        .push(Unknown::new(Cause::Truncated, "read 1,000 of 1,000+"));
    let judged = judge(world);
    let finding = only(&judged);
    assert!(
        finding
            .title
            .as_str()
            .starts_with("1,000+ events invoice.paid"),
        "{finding:?}"
    );
    assert_eq!(finding.severity, Severity::High, "at least 50 are retried");
    assert_eq!(judged.summary.as_str(), "1,000+ undelivered, not all seen");
}

#[test]
fn commands_and_links_of_test_mode_say_so() {
    let mut world = seen(
        vec![endpoint("we_1", "enabled", &["invoice.paid"])],
        vec![event("evt_1", "invoice.paid", HOUR, 1)],
    );
    world.account = Some("acct_7".to_owned());
    let observed = daily_ops::checks::payments::Observation {
        key: Some(daily_ops::checks::payments::Mode::Test),
        accounts: vec![world],
        ..Default::default()
    };
    use daily_ops::checks::Check;
    let judged =
        super::section("mode = 'test'\naccounts = ['acct_7']").evaluate(&observed, super::now());
    let finding = only(&judged);
    assert_eq!(
        finding.link.as_ref().unwrap().as_str(),
        "https://dashboard.stripe.com/acct_7/test/events/evt_1"
    );
    assert!(
        shown(finding).ends_with(
            "stripe events resend evt_1 --webhook-endpoint=we_1 --stripe-account=acct_7"
        ),
        "{}",
        shown(finding)
    );
}

#[test]
fn a_connect_endpoint_without_accounts_is_said_to_be_half_the_truth() {
    let mut connect = endpoint("we_1", "enabled", &["*"]);
    connect["application"] = "ca_1".into();
    let judged = judge(seen(vec![connect], vec![]));
    assert_eq!(
        judged.summary.as_str(),
        "nothing failed, platform account only"
    );
}
