//! Checks run side by side; one that fails spoils no other.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use daily_ops::{
    checks::{Around, Check, Checklist, Evaluation, Looking, Registry, Secrets},
    report::{Cause, CheckReport, Outcome, Unknown},
    schedule::Clock,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

/// Looks for as long as its section says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slow {
    seconds: u64,
}

impl Check for Slow {
    const NAME: &'static str = "slow";
    type Observation = u64;

    async fn observe(&self, _: &Looking) -> Result<u64, Unknown> {
        sleep(Duration::from_secs(self.seconds)).await;
        Ok(self.seconds)
    }

    fn evaluate(&self, seen: &u64, _: DateTime<Utc>) -> Evaluation {
        Evaluation {
            summary: format!("{seen} s").into(),
            ..Evaluation::default()
        }
    }
}

/// Panics where its section says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defect {
    while_judging: bool,
}

impl Check for Defect {
    const NAME: &'static str = "defect";
    type Observation = ();

    async fn observe(&self, _: &Looking) -> Result<(), Unknown> {
        assert!(self.while_judging, "slipped while looking");
        Ok(())
    }

    fn evaluate(&self, (): &(), _: DateTime<Utc>) -> Evaluation {
        panic!("slipped while judging")
    }
}

/// Has no way to look.
#[derive(Deserialize)]
struct Refused {}

impl Check for Refused {
    const NAME: &'static str = "refused";
    type Observation = ();

    async fn observe(&self, _: &Looking) -> Result<(), Unknown> {
        Err(Unknown::new(Cause::Auth, "401: give the token `read`"))
    }

    fn evaluate(&self, (): &(), _: DateTime<Utc>) -> Evaluation {
        Evaluation::default()
    }
}

fn checklist(sections: &str) -> anyhow::Result<Checklist> {
    let sections = toml::from_str(sections).expect("it is TOML");
    Registry::default()
        .with::<Slow>()
        .with::<Defect>()
        .with::<Refused>()
        .configure(sections, Secrets::default())
}

fn clock() -> Clock {
    Arc::new(DateTime::<Utc>::default)
}

async fn run(sections: &str) -> Vec<CheckReport> {
    let checklist = checklist(sections).expect("the sections are right");
    let progress = checklist.progress(None);
    checklist
        .run(None, &progress, &Around::new(&clock()), |_| {})
        .await
}

fn cause(report: &CheckReport) -> Cause {
    match &report.outcome {
        Outcome::Unknown(reasons) => reasons[0].cause,
        other => panic!("{} should be unknown, not {other:?}", report.name),
    }
}

#[tokio::test(start_paused = true)]
async fn checks_run_side_by_side_and_are_reported_in_order() {
    let started = Instant::now();
    let reports = run("[slow]\nseconds = 9\n[refused]").await;
    assert_eq!(started.elapsed().as_secs(), 9);
    let names: Vec<&str> = reports.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["slow", "defect", "refused"]);
    assert_eq!(
        (reports[0].outcome.clone(), reports[0].took_ms / 100),
        (Outcome::Looked, 90)
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_dawdles_is_unknown_after_its_limit() {
    let started = Instant::now();
    let reports = run("[slow]\nseconds = 3600").await;
    assert_eq!(
        (cause(&reports[0]), started.elapsed().as_secs()),
        (Cause::Timeout, 20)
    );
}

#[tokio::test(start_paused = true)]
async fn a_section_can_set_its_own_limit() {
    let started = Instant::now();
    let reports = run("[slow]\nseconds = 3600\ntime_limit = \"2s\"").await;
    assert_eq!(
        (cause(&reports[0]), started.elapsed().as_secs()),
        (Cause::Timeout, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_unknown_and_spoils_no_other() {
    for while_judging in [false, true] {
        let reports = run(&format!(
            "[slow]\nseconds = 1\n[defect]\nwhile_judging = {while_judging}\n[refused]"
        ))
        .await;
        assert_eq!(
            (cause(&reports[1]), cause(&reports[2])),
            (Cause::Panic, Cause::Auth)
        );
        assert_eq!(reports[0].outcome, Outcome::Looked);
        let Outcome::Unknown(reasons) = &reports[1].outcome else {
            unreachable!()
        };
        assert!(
            reasons[0].reason.as_str().contains("slipped"),
            "{reasons:?}"
        );
    }
}

#[tokio::test]
async fn a_check_without_a_section_is_off() {
    let reports = run("").await;
    assert!(reports.iter().all(|report| report.outcome == Outcome::Off));
}

#[tokio::test(start_paused = true)]
async fn only_the_checks_that_were_asked_for_run() {
    let checklist = checklist("[slow]\nseconds = 3600\n[refused]").expect("it is right");
    let only = ["refused".to_owned()];
    let reports = checklist
        .run(
            Some(&only),
            &checklist.progress(Some(&only)),
            &Around::new(&clock()),
            |_| {},
        )
        .await;
    assert_eq!((reports.len(), reports[0].name.as_str()), (1, "refused"));
}

#[test]
fn a_wrong_section_is_refused_with_its_place() {
    for (sections, expected) in [
        ("[slwo]", "there is no check `slwo`; did you mean `slow`?"),
        (
            "[slow]\nseconds = 1\nhours = 2",
            "in [checks.slow]: unknown field `hours`",
        ),
        (
            "[slow]\nseconds = 1\ntime_limit = \"soon\"",
            "in [checks.slow]: `time_limit` is a duration",
        ),
        (
            "[slow]\nseconds = 1\ntime_limit = \"1ms\"",
            "`time_limit` must lie between 1s and 10m",
        ),
        ("slow = 3", "`checks.slow` is no section"),
    ] {
        let error = format!("{:#}", checklist(sections).err().expect("it is wrong"));
        assert!(error.contains(expected), "{error}");
    }
}
