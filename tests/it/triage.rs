//! What needs a person, given earlier rounds and decisions.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    report::{
        Aged, Cause, CheckReport, Finding, FindingKey, Outcome, Report, RunId, Severity, Unknown,
        Verb,
    },
    ticket::Marker,
    triage::{
        Action, Decision, Known, Past, Person, Return, Row, Standing, State, Transition, Triaged,
        Verdict, is_settled, remember, transition, triage,
    },
};
use proptest::prelude::*;

/// The morning of a day, counted from a Monday.
fn morning(day: i64) -> DateTime<Utc> {
    "2026-11-23T09:00:00Z"
        .parse::<DateTime<Utc>>()
        .expect("it is a time")
        + TimeDelta::days(day)
}

fn issue(id: &str, severity: Severity, users: u64) -> Finding {
    let rule = format!("{users} users in 24 h, limit 100");
    Finding {
        magnitude: users,
        ..Finding::new(
            FindingKey::new("errors", id),
            severity,
            rule,
            "checkout times out",
        )
    }
}

fn errors(outcome: Outcome, findings: Vec<Finding>) -> CheckReport {
    CheckReport {
        unseen: None,
        aged: Vec::new(),
        name: "errors".to_owned(),
        outcome,
        findings,
        summary: "".into(),
        took_ms: 0,
        measures: Vec::new(),
    }
}

fn blind() -> Outcome {
    Outcome::Unknown(vec![Unknown::new(Cause::Timeout, "no answer")])
}

/// A company's days: rounds, and decisions between them.
#[derive(Default)]
struct Days {
    past: Past,
}

impl Days {
    fn round(&mut self, day: i64, check: CheckReport) -> Triaged {
        let report = Report {
            run: RunId::of(morning(day)),
            started_at: morning(day),
            finished_at: morning(day),
            checks: vec![check],
        };
        let after = remember(&self.past.memory, &report);
        let triaged = triage(report, &self.past);
        self.past.memory = after;
        triaged
    }

    fn sees(&mut self, day: i64, findings: Vec<Finding>) -> Triaged {
        self.round(day, errors(Outcome::Looked, findings))
    }

    /// An hour after that day's round.
    fn somebody(&mut self, day: i64, id: &str, action: Action) -> Transition {
        let key = FindingKey::new("errors", id);
        let known = self.past.memory[&key].clone();
        let at = morning(day) + TimeDelta::hours(1);
        let history = self.past.history.entry(key.clone()).or_default();
        let asked = transition(history, action, i64::MAX, &known, None, at);
        if let Transition::Decide(action) = &asked {
            let version = history.len() as i64 + 1;
            let by = Person::at_terminal("anna");
            history.push(Decision {
                key,
                version,
                at,
                by,
                action: action.clone(),
                severity: known.finding.severity,
                magnitude: known.finding.magnitude,
            });
        }
        asked
    }
}

fn acknowledge() -> Action {
    Action::Acknowledge { reason: None }
}

fn snooze_until(day: i64) -> Action {
    Action::Snooze {
        until: morning(day),
    }
}

#[test]
fn what_still_stands_after_its_ticket_was_closed_is_back_and_what_happened_before_is_not() {
    let key = FindingKey::new("errors", "1");
    let happened = |day| Finding {
        last_at: Some(morning(day)),
        ..issue("1", Severity::High, 150)
    };
    for (last, seen, is_back) in [
        (happened(0), happened(1), false),
        (happened(0), happened(3), true),
        (
            issue("1", Severity::High, 150),
            issue("1", Severity::High, 150),
            true,
        ),
    ] {
        let mut days = Days::default();
        days.sees(0, vec![last.clone()]);
        let filed = Action::Ticket {
            marker: Marker::new(&key, 1),
            tracker: "GitHub".to_owned(),
            title: "a title".into(),
            again: false,
        };
        assert!(matches!(
            days.somebody(0, "1", filed),
            Transition::Decide(_)
        ));
        assert_eq!(
            days.sees(1, vec![last]).handled.len(),
            1,
            "its ticket is open"
        );
        days.past.tickets_closed.insert(key.clone(), morning(2));
        let today = days.sees(4, vec![seen]);
        assert_eq!(today.needs_you.len(), usize::from(is_back));
        let why = match today.rows().next().map(|row| &row.standing) {
            Some(Standing::Back(_, why)) => Some(*why),
            _ => None,
        };
        assert_eq!(why, is_back.then_some(Return::SeenAgain));
    }
}

#[test]
fn a_bill_that_was_sent_again_has_a_week_to_be_paid() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 1)]);
    let sent = Action::Remedy { verb: Verb::Send };
    days.somebody(0, "1", sent);
    assert_eq!(
        days.sees(6, vec![issue("1", Severity::High, 1)])
            .handled
            .len(),
        1
    );
    let later = days.sees(8, vec![issue("1", Severity::High, 1)]);
    assert_eq!(later.needs_you.len(), 1);
}

#[test]
fn what_was_dealt_with_by_hand_comes_back_with_the_smallest_growth_if_its_time_is_not_known() {
    let known = |day| Finding {
        last_at: Some(morning(day)),
        ..issue("1", Severity::Medium, 5)
    };
    for (later, is_back) in [
        (issue("1", Severity::Medium, 4), false),
        (issue("1", Severity::Medium, 5), true),
        (issue("1", Severity::High, 4), true),
        (known(0), false),
        (known(1), true),
    ] {
        let mut days = Days::default();
        days.sees(0, vec![issue("1", Severity::Medium, 4)]);
        let note = "paid by cheque".into();
        days.somebody(0, "1", Action::Handle { note });
        let today = days.sees(2, vec![later]);
        assert_eq!(today.needs_you.len(), usize::from(is_back));
    }
}

#[test]
fn a_finding_is_new_once_and_stands_from_its_first_day() {
    let mut days = Days::default();
    let today = days.sees(0, vec![issue("1", Severity::High, 150)]);
    assert_eq!(
        (today.verdict(), today.needs_you[0].state),
        (Verdict::NeedsYou, State::New)
    );
    let later = days.sees(3, vec![issue("1", Severity::High, 150)]);
    assert_eq!(
        (later.needs_you[0].state, later.needs_you[0].since),
        (State::Standing, morning(0))
    );
}

#[test]
fn what_is_worse_better_or_gone_is_said() {
    let mut days = Days::default();
    days.sees(
        0,
        vec![
            issue("1", Severity::High, 150),
            issue("2", Severity::High, 150),
            issue("3", Severity::High, 150),
        ],
    );
    let next = days.sees(
        1,
        vec![
            issue("1", Severity::Critical, 150),
            issue("2", Severity::High, 60),
        ],
    );
    let states: Vec<_> = next.needs_you.iter().map(|row| row.state).collect();
    assert_eq!(states, [State::Worse, State::Better]);
    assert_eq!(next.gone[0].known.finding.key.to_string(), "errors:3");
}

#[test]
fn an_acknowledged_finding_stays_quiet_tomorrow() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    let next = days.sees(1, vec![issue("1", Severity::High, 150)]);
    assert_eq!((next.verdict(), next.handled.len()), (Verdict::Ok, 1));
}

#[test]
fn an_acknowledged_finding_that_gets_worse_needs_somebody_again() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    let next = days.sees(1, vec![issue("1", Severity::High, 300)]);
    assert!(matches!(
        next.needs_you[0].standing,
        Standing::Back(_, Return::Worse)
    ));
}

#[test]
fn a_slow_drift_is_noticed_against_the_day_of_the_decision() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 100)]);
    days.somebody(0, "1", acknowledge());
    for (day, users) in [(1, 130), (2, 160), (3, 190)] {
        assert_eq!(
            days.sees(day, vec![issue("1", Severity::High, users)])
                .verdict(),
            Verdict::Ok
        );
    }
    assert_eq!(
        days.sees(4, vec![issue("1", Severity::High, 210)])
            .verdict(),
        Verdict::NeedsYou
    );
}

#[test]
fn an_acknowledgement_does_not_cover_the_next_occurrence() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.sees(1, vec![]);
    let back = days.sees(2, vec![issue("1", Severity::High, 150)]);
    assert_eq!(
        (back.verdict(), back.needs_you[0].state),
        (Verdict::NeedsYou, State::New)
    );
}

#[test]
fn a_snooze_is_listed_while_it_lasts_and_always_ends() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", snooze_until(3));
    let asleep = days.sees(2, vec![issue("1", Severity::High, 150)]);
    assert_eq!((asleep.verdict(), asleep.snoozed.len()), (Verdict::Ok, 1));
    assert_eq!(
        days.sees(3, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
}

#[test]
fn a_snooze_ends_for_good_when_the_finding_gets_worse_or_comes_back() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", snooze_until(30));
    assert_eq!(
        days.sees(1, vec![issue("1", Severity::Critical, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
    assert_eq!(
        days.sees(2, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
    days.somebody(2, "1", snooze_until(30));
    assert_eq!(
        days.sees(3, vec![issue("1", Severity::High, 150)])
            .snoozed
            .len(),
        1
    );
    days.sees(4, vec![]);
    assert_eq!(
        days.sees(5, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
}

#[test]
fn the_newer_snooze_counts_and_its_end_leaves_nothing_behind() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.somebody(0, "1", snooze_until(30));
    days.somebody(0, "1", snooze_until(2));
    assert_eq!(
        days.sees(1, vec![issue("1", Severity::High, 150)])
            .snoozed
            .len(),
        1
    );
    assert_eq!(
        days.sees(3, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
}

#[test]
fn what_came_back_can_be_decided_about_anew() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.sees(1, vec![issue("1", Severity::Critical, 150)]);
    assert!(matches!(
        days.somebody(1, "1", acknowledge()),
        Transition::Decide(_)
    ));
    assert_eq!(
        days.sees(2, vec![issue("1", Severity::Critical, 150)])
            .verdict(),
        Verdict::Ok
    );
    days.somebody(2, "1", Action::Resolve { reason: None });
    days.sees(3, vec![issue("1", Severity::Critical, 150)]);
    assert!(matches!(
        days.somebody(3, "1", Action::Resolve { reason: None }),
        Transition::Decide(_)
    ));
}

#[test]
fn an_undo_that_was_taken_back_counts_for_nothing() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.somebody(0, "1", Action::Undo { version: 0 });
    let key = FindingKey::new("errors", "1");
    let taken_back = Decision {
        version: 3,
        action: Action::Undo { version: 2 },
        ..days.past.history[&key][1].clone()
    };
    days.past
        .history
        .get_mut(&key)
        .expect("it has a history")
        .push(taken_back);
    assert_eq!(
        days.sees(1, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::Ok
    );
}

#[test]
fn what_the_other_side_has_not_heard_yet_is_not_there_again() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", Action::Resolve { reason: None });
    days.past
        .undelivered
        .insert((FindingKey::new("errors", "1"), 1));
    assert_eq!(
        days.sees(1, vec![issue("1", Severity::High, 150)])
            .handled
            .len(),
        1
    );
}

#[test]
fn what_was_looked_for_by_a_check_that_saw_a_part_is_forgotten_and_the_rest_is_not() {
    let mut days = Days::default();
    days.sees(
        0,
        vec![
            issue("1", Severity::High, 150),
            issue("2", Severity::High, 150),
            issue("2/spike", Severity::High, 150),
        ],
    );
    let part = CheckReport {
        unseen: Some(vec![FindingKey::new("errors", "2")]),
        ..errors(blind(), vec![])
    };
    let next = days.round(1, part);
    let gone: Vec<String> = next
        .gone
        .iter()
        .map(|gone| gone.known.finding.key.to_string())
        .collect();
    assert_eq!(
        (gone, next.unknown[0].unseen.len()),
        (vec!["errors:1".to_owned()], 2)
    );
}

#[test]
fn one_event_more_is_not_worse() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::Medium, 1)]);
    days.somebody(0, "1", acknowledge());
    assert_eq!(
        days.sees(1, vec![issue("1", Severity::Medium, 2)])
            .verdict(),
        Verdict::Ok
    );
}

#[test]
fn a_critical_issue_that_rules_gave_to_somebody_still_needs_a_decision() {
    let mut days = Days::default();
    let owned = Finding {
        owner: Some("ben".into()),
        ..issue("1", Severity::Critical, 900)
    };
    assert_eq!(days.sees(0, vec![owned.clone()]).needs_you.len(), 1);
    days.somebody(0, "1", acknowledge());
    assert_eq!(days.sees(1, vec![owned]).handled.len(), 1);
}

#[test]
fn a_snooze_from_another_age_can_not_last_for_ever() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", snooze_until(100_000));
    assert_eq!(
        days.sees(89, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::Ok
    );
    assert_eq!(
        days.sees(91, vec![issue("1", Severity::High, 150)])
            .verdict(),
        Verdict::NeedsYou
    );
}

#[test]
fn what_was_resolved_and_is_there_again_needs_somebody() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", Action::Resolve { reason: None });
    let next = days.sees(1, vec![issue("1", Severity::High, 150)]);
    assert!(matches!(
        next.needs_you[0].standing,
        Standing::Back(_, Return::SeenAgain)
    ));
}

#[test]
fn what_a_bank_has_still_to_answer_is_not_there_again_but_not_done_yet() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", Action::Remedy { verb: Verb::Pay });
    days.past.asked.insert((FindingKey::new("errors", "1"), 1));
    let next = days.sees(1, vec![issue("1", Severity::High, 150)]);
    assert!(matches!(
        next.needs_you[0].standing,
        Standing::Back(_, Return::NotDone)
    ));
    days.past.asked.clear();
    let next = days.sees(2, vec![issue("1", Severity::High, 150)]);
    assert!(matches!(
        next.needs_you[0].standing,
        Standing::Back(_, Return::SeenAgain)
    ));
}

#[test]
fn a_check_that_could_not_look_is_unknown_and_forgets_nothing() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    let dark = days.round(1, errors(blind(), vec![]));
    assert_eq!(
        (
            dark.verdict(),
            dark.gone.len(),
            dark.unknown[0].unseen.len()
        ),
        (Verdict::Unknown, 0, 1)
    );
    let light = days.sees(2, vec![issue("1", Severity::High, 150)]);
    assert_eq!(light.needs_you[0].since, morning(0));
}

#[test]
fn a_check_that_saw_a_part_keeps_what_it_saw_and_is_not_ok() {
    let mut days = Days::default();
    let part = days.round(0, errors(blind(), vec![issue("1", Severity::Low, 1)]));
    assert_eq!(
        (part.verdict(), part.low.len(), part.ok().count()),
        (Verdict::Unknown, 1, 0)
    );
}

#[test]
fn an_issue_that_somebody_owns_needs_nobody_else_until_it_gets_worse() {
    let mut days = Days::default();
    let owned = |users| Finding {
        owner: Some("ben".into()),
        ..issue("1", Severity::High, users)
    };
    assert_eq!(days.sees(0, vec![owned(150)]).handled.len(), 1);
    assert_eq!(days.sees(1, vec![owned(400)]).needs_you.len(), 1);
}

#[test]
fn low_findings_need_nobody() {
    let mut days = Days::default();
    let today = days.sees(0, vec![issue("1", Severity::Low, 1)]);
    assert_eq!((today.verdict(), today.low.len()), (Verdict::Ok, 1));
}

#[test]
fn the_second_person_hears_who_was_first() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    assert!(matches!(
        days.somebody(0, "1", acknowledge()),
        Transition::Decide(_)
    ));
    assert!(
        matches!(days.somebody(0, "1", acknowledge()), Transition::Already(first) if first.by.name() == "anna")
    );
}

#[test]
fn undo_takes_one_step_back() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.somebody(0, "1", Action::Resolve { reason: None });
    assert_eq!(
        days.somebody(0, "1", Action::Undo { version: 0 }),
        Transition::Decide(Action::Undo { version: 2 })
    );
    assert_eq!(
        days.somebody(0, "1", Action::Undo { version: 0 }),
        Transition::Decide(Action::Undo { version: 1 })
    );
    assert_eq!(
        days.somebody(0, "1", Action::Undo { version: 0 }),
        Transition::NothingToUndo
    );
}

#[test]
fn a_late_click_on_an_old_picture_changes_nothing() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    let key = FindingKey::new("errors", "1");
    let late = transition(
        &days.past.history[&key],
        snooze_until(5),
        0,
        &days.past.memory[&key],
        None,
        morning(1),
    );
    assert!(matches!(late, Transition::Overruled(first) if first.version == 1));
}

#[test]
fn a_second_click_on_undo_hears_who_undid_it_and_takes_nothing_else_back() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    let to = Person::at_terminal("ben");
    days.somebody(0, "1", Action::Assign { to });
    days.somebody(0, "1", Action::Undo { version: 0 });
    let key = FindingKey::new("errors", "1");
    let undo = |days: &Days, seen| {
        let history = &days.past.history[&key];
        let wanted = Action::Undo { version: 0 };
        transition(
            history,
            wanted,
            seen,
            &days.past.memory[&key],
            None,
            morning(1),
        )
    };
    assert!(
        matches!(undo(&days, 2), Transition::Already(first) if first.action == Action::Undo { version: 2 })
    );

    let text = "looking".into();
    days.somebody(0, "1", Action::Note { text });
    assert_eq!(
        undo(&days, 3),
        Transition::Decide(Action::Undo { version: 1 }),
        "a note stands in nobody's way"
    );
    days.somebody(0, "1", snooze_until(5));
    assert!(matches!(undo(&days, 3), Transition::Overruled(newer) if newer.version == 5));
}

#[test]
fn a_second_click_on_undo_hears_of_the_first_even_where_nothing_is_left_to_undo() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    days.somebody(0, "1", Action::Undo { version: 0 });
    let key = FindingKey::new("errors", "1");
    let wanted = Action::Undo { version: 0 };
    let history = &days.past.history[&key];
    let second = transition(
        history,
        wanted,
        1,
        &days.past.memory[&key],
        None,
        morning(1),
    );
    assert!(matches!(second, Transition::Already(first) if first.version == 2));
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(acknowledge()),
        "[a-c]".prop_map(|to| Action::Assign {
            to: Person::from(to)
        }),
        (1..200_i64).prop_map(snooze_until),
        Just(Action::Resolve { reason: None }),
        Just(Action::Archive),
        Just(Action::Undo { version: 0 }),
        Just(Action::Note { text: "n".into() }),
    ]
}

proptest! {
    #[test]
    fn every_finding_is_in_one_place_and_the_order_depends_on_nothing_else(
        mut found in prop::collection::btree_map("[a-z0-9]{1,6}", (severity(), 0..1_000_u64), 0..40),
        seed in any::<u64>(),
    ) {
        let mut findings: Vec<Finding> = std::mem::take(&mut found).into_iter().map(|(id, (severity, users))| issue(&id, severity, users)).collect();
        let straight = Days::default().sees(0, findings.clone());
        let turn = (seed as usize).checked_rem(findings.len()).unwrap_or(0);
        findings.rotate_left(turn);
        let turned = Days::default().sees(0, findings.clone());
        prop_assert_eq!(straight.rows().count(), findings.len());
        prop_assert_eq!(&straight.needs_you, &turned.needs_you);
        prop_assert!(straight.needs_you.is_sorted_by(|a, b| a.finding.severity >= b.finding.severity));
        prop_assert_eq!(straight.needs_you.is_empty(), straight.verdict() == Verdict::Ok);
    }

    #[test]
    fn a_check_that_could_not_look_is_never_ok(found in prop::collection::btree_map("[a-z0-9]{1,6}", (severity(), 0..1_000_u64), 0..10), day in 0..3_i64) {
        let findings: Vec<Finding> = found.into_iter().map(|(id, (severity, users))| issue(&id, severity, users)).collect();
        let mut days = Days::default();
        days.sees(0, findings.clone());
        let dark = days.round(day + 1, errors(blind(), findings[..findings.len() / 2].to_vec()));
        prop_assert_ne!(dark.verdict(), Verdict::Ok);
        prop_assert_eq!(dark.ok().count(), 0);
        prop_assert!(dark.gone.is_empty());
    }

    #[test]
    fn whatever_people_press_only_undo_opens_what_is_closed(actions in prop::collection::vec(action(), 1..30)) {
        let mut days = Days::default();
        days.sees(0, vec![issue("1", Severity::High, 150)]);
        let mut closed = false;
        for action in actions {
            let undo = matches!(action, Action::Undo { .. });
            let note = matches!(action, Action::Note { .. });
            let closes = matches!(action, Action::Resolve { .. } | Action::Archive);
            let asked = days.somebody(0, "1", action);
            if closed && !undo && !note {
                prop_assert!(!matches!(asked, Transition::Decide(_)));
            }
            if matches!(asked, Transition::Decide(_)) {
                closed = (closed || closes) && !undo;
            }
        }
    }
}

#[test]
fn known_findings_keep_their_words() {
    let known = Known {
        since: morning(0),
        last_seen: morning(1),
        peak: None,
        finding: issue("1", Severity::High, 150),
    };
    let kept: Known =
        serde_json::from_str(&serde_json::to_string(&known).expect("it can be written"))
            .expect("it can be read");
    assert_eq!(kept, known);
}

#[test]
fn what_a_look_left_out_stands_as_it_stood() {
    let mut days = Days::default();
    days.sees(
        0,
        vec![
            issue("1", Severity::High, 150),
            issue("2", Severity::High, 150),
        ],
    );
    days.somebody(0, "2", acknowledge());
    let since = CheckReport {
        unseen: Some(vec![
            FindingKey::new("errors", "1"),
            FindingKey::new("errors", "2"),
        ]),
        ..errors(Outcome::Looked, vec![])
    };
    let glance = days.round(1, since);
    assert_eq!(glance.verdict(), Verdict::NeedsYou);
    let key = |row: &Row| row.finding.key.to_string();
    assert_eq!(
        glance.needs_you.iter().map(key).collect::<Vec<_>>(),
        ["errors:1"]
    );
    assert_eq!(
        glance.handled.iter().map(key).collect::<Vec<_>>(),
        ["errors:2"]
    );
    assert!(glance.gone.is_empty() && glance.unknown.is_empty());
}

impl Days {
    /// A look that reaches back too short for what is open.
    fn sees_only_the_young(&mut self, day: i64, findings: Vec<Finding>) -> Triaged {
        let of = |known: &Known| Aged {
            key: known.finding.key.clone(),
            is_settled: is_settled(known, &self.past, morning(day)),
        };
        let is_missed = |known: &&Known| !findings.iter().any(|it| it.key == known.finding.key);
        let aged = self
            .past
            .memory
            .values()
            .filter(is_missed)
            .map(of)
            .collect();
        let check = CheckReport {
            aged,
            ..errors(Outcome::Looked, findings)
        };
        self.round(day, check)
    }
}

#[test]
fn what_is_too_old_to_be_found_stays_until_somebody_handles_it() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    for day in 1..4 {
        let triaged = days.sees_only_the_young(day, vec![]);
        let row = &triaged.needs_you[0];
        assert_eq!(
            row.as_of.map(|it| (it.at, it.is_aged)),
            Some((morning(0), true))
        );
        assert!(triaged.gone.is_empty());
    }
    days.somebody(3, "1", acknowledge());
    let triaged = days.sees_only_the_young(4, vec![]);
    assert_eq!(triaged.rows().count(), 0);
    assert!(triaged.gone.is_empty(), "nobody knows that it is gone");
    assert!(days.past.memory.is_empty());
}

#[test]
fn what_is_handled_after_the_look_is_shown_so_in_its_message() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    let before = days.past.clone();
    let report = days.sees_only_the_young(1, vec![]).report;
    days.somebody(1, "1", acknowledge());
    let past = Past {
        history: days.past.history,
        ..before
    };
    let again = triage(report, &past);
    assert_eq!((again.handled.len(), again.needs_you.len()), (1, 0));
}

#[test]
fn what_is_snoozed_outlives_its_age() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", snooze_until(3));
    assert_eq!(days.sees_only_the_young(2, vec![]).snoozed.len(), 1);
    assert_eq!(days.sees_only_the_young(4, vec![]).needs_you.len(), 1);
}

#[test]
fn what_needs_nobody_is_let_go_when_it_is_old() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::Low, 1)]);
    let triaged = days.sees_only_the_young(1, vec![]);
    assert!(triaged.rows().next().is_none() && triaged.gone.is_empty());
}

#[test]
fn a_check_that_is_blind_lets_nothing_go() {
    let mut days = Days::default();
    days.sees(0, vec![issue("1", Severity::High, 150)]);
    days.somebody(0, "1", acknowledge());
    let key = FindingKey::new("errors", "1");
    let aged = vec![Aged {
        key,
        is_settled: true,
    }];
    let check = CheckReport {
        aged,
        ..errors(blind(), vec![])
    };
    assert_eq!(days.round(1, check).handled.len(), 1);
    assert_eq!(days.past.memory.len(), 1);
}

#[test]
fn the_last_time_it_happened_is_never_forgotten() {
    let at = |day: i64| Finding {
        last_at: Some(morning(day) - TimeDelta::minutes(10)),
        ..issue("1", Severity::High, 150)
    };
    let mut days = Days::default();
    days.sees(0, vec![at(0)]);
    days.somebody(
        0,
        "1",
        Action::Handle {
            note: "done by hand".into(),
        },
    );
    assert_eq!(days.sees(1, vec![at(1)]).needs_you.len(), 1);
    let triaged = days.sees(2, vec![at(0)]);
    assert_eq!(
        triaged.needs_you.len(),
        1,
        "it has happened since it was handled, whoever has forgotten it"
    );
}

#[test]
fn what_may_yet_come_to_nothing_is_not_let_go() {
    let marker = Marker::new(&FindingKey::new("errors", "1"), 1);
    let ticket = Action::Ticket {
        marker,
        tracker: "GitHub".to_owned(),
        title: "checkout times out".into(),
        again: false,
    };
    let sent = Action::Remedy { verb: Verb::Send };
    let paid = Action::Remedy { verb: Verb::Pay };
    for action in [ticket, sent, paid] {
        let mut days = Days::default();
        days.sees(0, vec![issue("1", Severity::High, 150)]);
        days.somebody(0, "1", action.clone());
        let triaged = days.sees_only_the_young(1, vec![]);
        assert_eq!(triaged.rows().count(), 1, "{action:?}");
    }
}
