//! Resolve, assign, archive and undo in a described Sentry.

use std::time::Duration;

use daily_ops::{
    checks::{Applied, Check, NotApplied, Order},
    triage::Person,
};

use crate::{
    errors::{check, looking},
    world::{
        faults::{Fault, Plan, Proxy},
        sentry::{Sentry, World, issue},
    },
};

fn order(verb: &str, argument: Option<&str>) -> Order {
    Order {
        key: "errors:4501".parse().unwrap(),
        verb: verb.to_owned(),
        by: Person::at_terminal("anna"),
        argument: argument.map(str::to_owned),
        reason: Some("fixed in 1.2".into()),
        before: None,
    }
}

async fn world() -> Sentry {
    World::with([issue(4501, "checkout times out"), issue(4502, "another")])
        .open()
        .await
}

async fn apply(world: &Sentry, order: &Order) -> Result<Applied, NotApplied> {
    check(&world.url())
        .apply(order, &looking(Duration::from_secs(10)))
        .await
}

fn done(result: Result<Applied, NotApplied>) -> (String, Option<String>) {
    match result {
        Ok(Applied::Done { said, before }) => (
            said.as_str().to_owned(),
            before.map(|b| b.as_str().to_owned()),
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
async fn resolving_changes_one_issue_and_leaves_a_note() {
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
    let anna = apply(&world, &order("assign", Some("Anna@Example.com"))).await;
    assert_eq!(
        done(anna),
        (
            "assigned to Anna in Sentry".to_owned(),
            Some("user:1".to_owned())
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
    assert!(
        refused(apply(&world, &order("assign", Some("anna@example.com"))).await)
            .contains("member:read")
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
    let (_, before) = done(apply(&world, &order("assign", Some("anna@example.com"))).await);
    let mut undo = order("undo", Some("assign"));
    undo.before = before.map(Into::into);
    done(apply(&world, &undo).await);
    assert_eq!(world.world().issues[0].assignee.as_deref(), Some("team:9"));
    undo.before = None;
    done(apply(&world, &undo).await);
    assert_eq!(world.world().issues[0].assignee, None);
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

/// Done means that it is so; refused and not sent mean that nothing happened.
#[tokio::test]
async fn no_fault_on_any_request_makes_an_order_lie() {
    const REQUESTS: [&[&str]; 4] = [
        &["GET ", "/issues/"],
        &["GET ", "/members/"],
        &["PUT ", "/issues/"],
        &["POST ", "/notes/"],
    ];
    for fault in Fault::ALL
        .into_iter()
        .filter(|fault| !fault.is_of_address())
    {
        for route in REQUESTS {
            let world = world().await;
            let plan = Plan {
                fault,
                route: route.to_vec(),
                from: 1,
                times: usize::MAX,
            };
            let proxy = Proxy::before(world.address, plan).await;
            let mut errors = check(&proxy.url());
            errors.settings.request =
                Duration::from_millis(if fault == Fault::Slow { 300 } else { 5000 });
            let result = errors
                .apply(
                    &order("assign", Some("anna@example.com")),
                    &looking(Duration::from_secs(10)),
                )
                .await;
            assert!(proxy.struck() > 0, "{fault:?} never hit {route:?}");
            let assigned = world.world().issues[0].assignee.as_deref() == Some("user:2");
            match &result {
                Ok(Applied::Done { .. }) => assert!(assigned, "{fault:?} on {route:?}: {result:?}"),
                Ok(Applied::Overtaken { .. })
                | Err(NotApplied::Refused(_) | NotApplied::NotSent(_)) => {
                    assert!(!assigned, "{fault:?} on {route:?}: {result:?}")
                }
                Err(NotApplied::OutcomeUnknown(_)) => {
                    assert_eq!(route[0], "PUT ", "{fault:?}: {result:?}")
                }
            }
            assert!(
                route[0] != "POST " || matches!(result, Ok(Applied::Done { .. })),
                "{fault:?} on the note: {result:?}"
            );
        }
    }
}
