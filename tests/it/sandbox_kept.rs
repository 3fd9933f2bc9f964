//! What a sandbox keeps for the next time.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use daily_ops::{
    command::Transport,
    sandbox::{
        Office, Options, Step,
        slack::{ANNA, Channel, OPS},
        world::World,
    },
};
use tempfile::TempDir;

async fn open(folder: &Path, scenario: Option<&str>) -> Arc<Office> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let options = Options {
        keep: Some(folder.to_owned()),
        transport: Transport::Http,
        scenario: scenario.map(str::to_owned),
    };
    let office = Office::open(&options).await;
    Arc::new(office.unwrap_or_else(|error| panic!("{error:#}")))
}

fn state(office: &Office, switch: &str) -> &'static str {
    let all = office.world.switches();
    let found = all.iter().find(|it| it.name == switch);
    found.expect("there is such a switch").chosen
}

#[tokio::test]
async fn the_next_time_everything_is_as_it_was_left() {
    let folder = TempDir::new().expect("a folder");
    let office = open(folder.path(), None).await;
    let began = office.world.began();
    office
        .world
        .switch("production/login", "503")
        .expect("it can be switched");
    office
        .advance(Step::By(TimeDelta::hours(9)))
        .await
        .expect("the time can be moved");
    assert_eq!(state(&office, "production/api"), "well", "after six hours");
    office.world.sentry().world().issue(4501).assignee = Some("user:2".to_owned());
    let (ts, direct) = {
        let mut slack = office.slack.world();
        let direct = slack.channels[OPS].clone();
        let person = Some(ANNA.to_owned());
        slack
            .channels
            .insert("D0NEW".to_owned(), Channel { person, ..direct });
        let ts = slack.say(OPS, ANNA, "Good evening");
        (ts, slack.say("D0NEW", ANNA, "Just between us"))
    };
    let left = office.time.now();
    office.close().await.expect("it closes");
    drop(office);

    let again = open(folder.path(), None).await;
    assert!(again.time.now() > left);
    assert!(again.world.began() - began < TimeDelta::seconds(1));
    assert_eq!(state(&again, "production/login"), "503");
    assert_eq!(state(&again, "production/api"), "well");
    let assignee = again.world.sentry().world().issue(4501).assignee.clone();
    assert_eq!(assignee.as_deref(), Some("user:2"));
    {
        let slack = again.slack.world();
        let said = slack.channels[OPS].message(&ts).expect("it is there");
        assert_eq!(said.now().text, "Good evening");
        assert_eq!(slack.channels["D0NEW"].person.as_deref(), Some(ANNA));
        assert!(slack.channels["D0NEW"].message(&direct).is_some());
    }
    again.close().await.expect("it closes");
}

#[tokio::test]
async fn what_was_played_is_kept_without_a_word_in_slack_and_without_a_proper_end() {
    let folder = TempDir::new().expect("a folder");
    let office = open(folder.path(), Some("quiet")).await;
    let keeping = tokio::spawn(Arc::clone(&office).keep());
    office.world.play("sentry-403").expect("it can be played");
    let path = folder.path().join("slack.json");
    let kept = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let text = tokio::fs::read_to_string(&path).await.unwrap_or_default();
            if text.contains("sentry-403") {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    kept.await.expect("it is written");
    office.close().await.expect("it closes");
    keeping.await.expect("it ends");
}

#[tokio::test]
async fn a_kept_scenario_that_is_no_more_makes_room_for_the_first() {
    let folder = TempDir::new().expect("a folder");
    let kept = r#"{"time": "2026-11-23T18:00:00Z", "scenario": "of-last-year", "messages": {}}"#;
    std::fs::write(folder.path().join("slack.json"), kept).expect("it is written");
    let office = open(folder.path(), None).await;
    assert_eq!(office.world.playing().name, World::FIRST);
    assert!(*office.time.now().to_rfc3339() > *"2026-11-23T18:00:00");
    office.close().await.expect("it closes");
}

#[tokio::test]
async fn without_a_company_nothing_can_be_played_or_switched() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let office = Office::slack_only(None, 0).await.expect("it opens");
    assert!(office.world.switches().is_empty());
    let refused = office.world.play("quiet").expect_err("there is no company");
    assert_eq!(
        refused.to_string(),
        "there is no company here in which that could happen"
    );
    assert!(office.world.switch("network", "gone").is_err());
    let now = office.time.now();
    office
        .advance(Step::NextMorning)
        .await
        .expect("the time can be moved all the same");
    assert!(office.time.now() > now);
    office.close().await.expect("it closes");
}

#[tokio::test]
async fn a_folder_in_which_a_real_bot_keeps_its_things_is_refused() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("daily-ops.db"), "real").expect("it is written");
    let options = Options {
        keep: Some(folder.path().to_owned()),
        transport: Transport::Http,
        scenario: None,
    };
    let error = Office::open(&options).await.err().expect("it is refused");
    assert!(error.to_string().contains("no sandbox's"), "{error:#}");
}

#[tokio::test]
async fn a_round_after_the_world_has_changed_is_a_new_one() {
    let folder = TempDir::new().expect("a folder");
    let office = open(folder.path(), Some("quiet")).await;
    let round = async |words: &str| {
        while !office
            .slack
            .world()
            .messages(OPS)
            .iter()
            .any(|it| it.now().text.contains(words))
        {
            tokio::task::yield_now().await;
        }
    };
    round("all well").await;
    office.world.play("checkout-down").expect("there is one");
    tokio::task::yield_now().await;
    office.slack.command(ANNA, OPS, "/ops daily").await;
    round("need you").await;
    office.close().await.expect("it ends well");
}
