//! Resolve, assign, archive and undo in a described Sentry.

use std::time::Duration;

use daily_ops::{
    checks::{Applied, Check, NotApplied, Order},
    triage::Person,
};

use crate::{
    errors::{check, looking},
    errors_faults::at_once,
    world::{
        faults::{Fault, Plan, Proxy, bad_certificate, closed_port, no_such_host},
        sentry::{self, Sentry, issue},
    },
};

fn order(verb: &str, argument: Option<&str>) -> Order {
    Order {
        argument: argument.map(str::to_owned),
        reason: Some("fixed in 1.2".into()),
        ..Order::new(
            &"errors:4501".parse().unwrap(),
            verb,
            &Person::at_terminal("anna"),
        )
    }
}

async fn world() -> Sentry {
    sentry::with([issue(4501, "checkout times out"), issue(4502, "another")])
        .open()
        .await
        .expect("it opens")
}

async fn apply(world: &Sentry, order: &Order) -> Result<Applied, NotApplied> {
    check(&world.url())
        .apply(order, &looking(Duration::from_secs(10)))
        .await
}

fn done(result: Result<Applied, NotApplied>) -> (String, Option<String>) {
    match result {
        Ok(Applied::Done { said, after, .. }) => (
            said.as_str().to_owned(),
            after.map(|after| after.as_str().to_owned()),
        ),
        other => panic!("not done: {other:?}"),
    }
}

fn overtaken(result: Result<Applied, NotApplied>) -> String {
    match result {
        Ok(Applied::Overtaken { said }) => said.as_str().to_owned(),
        other => panic!("not overtaken: {other:?}"),
    }
}

fn refused(result: Result<Applied, NotApplied>) -> String {
    match result {
        Err(NotApplied::Refused(why)) => why.as_str().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn resolving_changes_one_issue_by_its_own_route_and_leaves_a_note() {
    let world = world().await;
    assert_eq!(
        done(apply(&world, &order("resolve", None)).await).0,
        "resolved in Sentry"
    );
    let seen = world.world();
    assert_eq!(
        (seen.issues[0].status, seen.issues[1].status),
        ("resolved", "unresolved")
    );
    assert_eq!(
        seen.notes,
        [(
            4501,
            "Resolved by anna through Daily Ops: fixed in 1.2".to_owned()
        )]
    );
    let writes: Vec<&String> = seen
        .asked
        .iter()
        .filter(|line| !line.starts_with("GET"))
        .collect();
    assert_eq!(
        writes,
        [
            "PUT /api/0/organizations/acme/issues/4501/",
            "POST /api/0/organizations/acme/issues/4501/notes/"
        ]
    );
}

#[tokio::test]
async fn what_is_in_the_wished_state_already_is_done_and_not_written_again() {
    let world = world().await;
    world.world().issue(4501).status = "resolved";
    assert_eq!(
        done(apply(&world, &order("resolve", None)).await).0,
        "was already resolved in Sentry"
    );
    assert!(
        world
            .world()
            .asked
            .iter()
            .all(|line| line.starts_with("GET"))
    );
}

#[tokio::test]
async fn what_was_resolved_meanwhile_is_neither_assigned_nor_archived() {
    let world = world().await;
    world.world().issue(4501).status = "resolved";
    for order in [
        order("archive", None),
        order("assign", Some("anna@example.com")),
    ] {
        assert_eq!(
            overtaken(apply(&world, &order).await),
            "resolved in Sentry meanwhile; nothing was changed"
        );
    }
    assert!(
        world
            .world()
            .asked
            .iter()
            .all(|line| line.starts_with("GET"))
    );
}

#[tokio::test]
async fn a_deleted_or_merged_issue_is_gone() {
    let world = world().await;
    world.world().issue(4501).merged_into = Some(4502);
    assert_eq!(
        overtaken(apply(&world, &order("resolve", None)).await),
        "merged into issue 4502 in Sentry; nothing was changed"
    );
    world.world().issues.clear();
    assert_eq!(
        overtaken(apply(&world, &order("resolve", None)).await),
        "gone from Sentry: deleted or merged; nothing was changed"
    );
}

#[tokio::test]
async fn people_and_teams_are_found_on_every_page_and_the_former_owner_is_kept() {
    let world = world().await;
    world.world().page = 1;
    world.world().issue(4501).assignee = Some("user:1".to_owned());
    let give = order("assign", Some("Anna@Example.com"));
    let former = check(&world.url())
        .before(&give, &looking(Duration::from_secs(10)))
        .await;
    assert_eq!(former, Ok(Some("user:1".into())));
    let anna = apply(&world, &give).await;
    assert_eq!(
        done(anna),
        (
            "assigned to Anna in Sentry".to_owned(),
            Some("user:2".to_owned())
        )
    );
    let again = apply(&world, &order("assign", Some("anna@example.com"))).await;
    assert_eq!(
        done(again),
        (
            "was already assigned to Anna in Sentry".to_owned(),
            Some("user:2".to_owned())
        )
    );
    let team = apply(&world, &order("assign", Some("#payments"))).await;
    assert_eq!(done(team).0, "assigned to #payments in Sentry");
    assert_eq!(world.world().issues[0].assignee.as_deref(), Some("team:9"));
}

#[tokio::test]
async fn whom_sentry_does_not_know_is_refused_with_what_is_needed() {
    let world = world().await;
    for (who, needed) in [
        ("nobody@example.com", "has this e-mail address"),
        ("invited@example.com", "has not joined yet"),
        ("#nobody", "no team #nobody"),
        ("anna", "give the e-mail address"),
        ("", "give the e-mail address"),
    ] {
        assert!(
            refused(apply(&world, &order("assign", Some(who))).await).contains(needed),
            "{who}"
        );
    }
    world.world().scopes.remove("member:read");
    let result = apply(&world, &order("assign", Some("anna@example.com"))).await;
    assert!(
        matches!(&result, Err(NotApplied::NotSent(why)) if why.why.reason.as_str().contains("member:read")),
        "{result:?}"
    );
    assert_eq!(world.world().issues[0].assignee, None);
}

#[tokio::test]
async fn every_remedy_can_be_undone() {
    let world = world().await;
    done(apply(&world, &order("resolve", None)).await);
    assert_eq!(
        done(apply(&world, &order("undo", Some("resolve"))).await).0,
        "reopened in Sentry"
    );
    done(apply(&world, &order("archive", None)).await);
    assert_eq!(
        world.world().issues[0].substatus,
        "archived_until_escalating"
    );
    done(apply(&world, &order("undo", Some("archive"))).await);
    assert_eq!(world.world().issues[0].status, "unresolved");
    world.world().issue(4501).assignee = Some("team:9".to_owned());
    let give = order("assign", Some("anna@example.com"));
    let before = check(&world.url())
        .before(&give, &looking(Duration::from_secs(10)))
        .await;
    let (_, after) = done(apply(&world, &give).await);
    assert_eq!(after.as_deref(), Some("user:2"));
    let mut undo = order("undo", Some("assign"));
    undo.before = before.expect("it can be read");
    undo.after = after.map(Into::into);
    done(apply(&world, &undo).await);
    assert_eq!(world.world().issues[0].assignee.as_deref(), Some("team:9"));
}

#[tokio::test]
async fn an_undo_leaves_alone_what_somebody_else_assigned_since() {
    let world = world().await;
    let (_, after) = done(apply(&world, &order("assign", Some("anna@example.com"))).await);
    world.world().issue(4501).assignee = Some("team:8".to_owned());
    let mut undo = order("undo", Some("assign"));
    undo.after = after.map(Into::into);
    assert!(overtaken(apply(&world, &undo).await).contains("assigned to somebody else"));
    assert_eq!(world.world().issues[0].assignee.as_deref(), Some("team:8"));
    undo.after = None;
    assert!(refused(apply(&world, &undo).await).contains("it is not known"));
}

#[tokio::test]
async fn an_order_outlives_a_token_that_has_to_be_mended() {
    let world = world().await;
    world.world().token = "another".to_owned();
    let result = apply(&world, &order("resolve", None)).await;
    assert!(
        matches!(&result, Err(NotApplied::NotSent(why)) if why.why.cause == daily_ops::report::Cause::Auth),
        "{result:?}"
    );
}

#[tokio::test]
async fn an_undo_does_not_overrule_what_happened_in_between() {
    let world = world().await;
    world.world().issue(4501).status = "ignored";
    assert_eq!(
        overtaken(apply(&world, &order("undo", Some("resolve"))).await),
        "archived in Sentry meanwhile; nothing was changed"
    );
}

#[tokio::test]
async fn a_note_that_fails_or_is_there_does_not_fail_the_remedy() {
    let world = world().await;
    world.world().notes.push((
        4501,
        "Resolved by anna through Daily Ops: fixed in 1.2".to_owned(),
    ));
    assert_eq!(
        done(apply(&world, &order("resolve", None)).await).0,
        "resolved in Sentry"
    );
    world.world().issue(4501).status = "unresolved";
    let proxy = Proxy::before(
        world.address,
        Plan {
            fault: Fault::Forbidden,
            route: vec!["/notes/"],
            from: 1,
            times: 1,
        },
    )
    .await;
    let said = done(
        check(&proxy.url())
            .apply(&order("resolve", None), &looking(Duration::from_secs(10)))
            .await,
    )
    .0;
    assert!(
        said.starts_with("resolved in Sentry; the note could not be left: ")
            && said.contains("403"),
        "{said}"
    );
    let mut silent = check(&world.url());
    silent.notes = false;
    world.world().issue(4501).status = "unresolved";
    world.world().notes.clear();
    done(
        silent
            .apply(&order("resolve", None), &looking(Duration::from_secs(10)))
            .await,
    );
    assert!(world.world().notes.is_empty());
}

#[tokio::test]
async fn a_change_that_cannot_be_seen_afterwards_is_not_claimed() {
    let world = world().await;
    world.world().forgets_changes = true;
    assert!(matches!(
        apply(&world, &order("resolve", None)).await,
        Err(NotApplied::OutcomeUnknown(_))
    ));
}

#[tokio::test]
async fn only_issues_of_the_configured_projects_are_touched() {
    let world = world().await;
    world.world().issue(4501).project = "payroll".to_owned();
    assert!(refused(apply(&world, &order("resolve", None)).await).contains("`payroll`"));
    let mut elsewhere = order("resolve", None);
    elsewhere.key = "errors:dropped-events".parse().unwrap();
    assert!(refused(apply(&world, &elsewhere).await).contains("no issue in Sentry"));
    assert!(
        refused(apply(&world, &order("delete", None)).await).contains("can't delete")
            || world.world().issues[0].project == "payroll"
    );
}

#[tokio::test]
async fn an_order_that_reaches_nobody_was_not_sent() {
    for url in [closed_port().await, no_such_host(), bad_certificate().await] {
        let result = check(&url)
            .apply(&order("resolve", None), &looking(Duration::from_secs(10)))
            .await;
        assert!(
            matches!(result, Err(NotApplied::NotSent(_))),
            "{url}: {result:?}"
        );
    }
}

/// Done means that it is so; refused and not sent mean that nothing happened.
#[tokio::test]
async fn no_fault_on_any_request_makes_an_order_lie() {
    const REQUESTS: [&[&str]; 4] = [
        &["GET ", "/issues/"],
        &["GET ", "/members/"],
        &["PUT ", "/issues/"],
        &["POST ", "/notes/"],
    ];
    for fault in Fault::of_requests() {
        at_once(REQUESTS.into_iter().map(|route| never_lies(fault, route))).await;
    }
}

async fn never_lies(fault: Fault, route: &'static [&'static str]) {
    let world = world().await;
    let plan = Plan {
        fault,
        route: route.to_vec(),
        from: 1,
        times: usize::MAX,
    };
    let proxy = Proxy::before(world.address, plan).await;
    let mut errors = check(&proxy.url());
    errors.settings.request = Duration::from_millis(if fault == Fault::Slow { 500 } else { 5000 });
    let result = errors
        .apply(
            &order("assign", Some("anna@example.com")),
            &looking(Duration::from_secs(10)),
        )
        .await;
    assert!(proxy.struck() > 0, "{fault:?} never hit {route:?}");
    let case = format!("{fault:?} on {route:?}: {result:?}");
    let assigned = world.world().issues[0].assignee.as_deref() == Some("user:2");
    match &result {
        Ok(Applied::Done { .. }) => assert!(assigned, "{case}"),
        Ok(Applied::Overtaken { .. }) | Err(NotApplied::Refused(_) | NotApplied::NotSent(_)) => {
            assert!(!assigned, "{case}")
        }
        Err(NotApplied::OutcomeUnknown(_)) => assert_eq!(route[0], "PUT ", "{case}"),
        Ok(Applied::Asked { .. } | Applied::Ticketed { .. }) => {
            panic!("Sentry does it at once, and opens no ticket: {case}")
        }
    }
    assert!(
        route[0] != "POST " || matches!(result, Ok(Applied::Done { .. })),
        "{case}"
    );
}
