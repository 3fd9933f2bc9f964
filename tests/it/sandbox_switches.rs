//! The company's switches, what there is to be played, and how a part is added.

use std::{fs, path::Path};

use daily_ops::sandbox::world::World;

use crate::sandbox_world::Morning;

#[tokio::test]
async fn each_state_of_a_service_is_told_as_what_it_is() {
    let quiet = Morning::of("quiet").await;
    for (value, expected) in [
        (
            "503",
            "critical health:production/login: production login answers 503",
        ),
        (
            "slow",
            "medium health:production/login/latency: production login answers in ",
        ),
        (
            "hangs",
            "critical health:production/login: production login does not answer",
        ),
        (
            "refuses",
            "critical health:production/login: production login refuses connections",
        ),
        (
            "wrong-body",
            "critical health:production/login: production login answers 200 without the expected text",
        ),
        (
            "login",
            "critical health:production/login: production login answers 303 to ",
        ),
        ("flaps", ""),
        ("well", ""),
    ] {
        quiet.switch("production/login", value);
        let said = quiet.report().await;
        assert!(
            expected.is_empty() || said.lines().any(|line| line.starts_with(expected)),
            "{value}: {said}"
        );
        assert_eq!(
            said.contains("need"),
            !expected.is_empty(),
            "{value}: {said}"
        );
    }
}

#[tokio::test]
async fn each_state_of_sentry_but_a_slow_one_is_unknown_and_never_quiet() {
    let quiet = Morning::of("quiet").await;
    for (value, expected) in [
        ("403", "answered 403"),
        ("401", "answered 401"),
        ("429", "answered 429"),
        ("503", "answered 503"),
        ("hangs", "Sentry"),
        ("garbage", "Sentry"),
        ("refuses", "connection refused"),
        ("slow", ""),
        ("well", ""),
    ] {
        quiet.switch("sentry", value);
        let said = quiet.report().await;
        assert_eq!(
            said.starts_with("1 unknown"),
            !expected.is_empty(),
            "{value}: {said}"
        );
        assert!(said.contains(expected), "{value}: {said}");
    }
}

#[tokio::test]
async fn whatever_was_played_and_switched_a_quiet_morning_is_quiet_again() {
    let morning = Morning::of("quiet").await;
    for scenario in World::scenarios() {
        morning.world.play(scenario.name).expect("it can be played");
        for switch in morning.world.switches() {
            let worst = switch.choices[switch.choices.len() - 1];
            morning.switch(&switch.name, worst.value);
        }
        morning.world.play("quiet").expect("it can be played");
        let said = morning.report().await;
        assert!(
            said.starts_with("\n") || said.is_empty(),
            "after {}: {said}",
            scenario.name
        );
        for switch in morning.world.switches() {
            assert_eq!(switch.chosen, switch.choices[0].value, "{}", switch.name);
        }
    }
}

#[tokio::test]
async fn whoever_watches_hears_of_what_is_played_and_switched() {
    let world = Morning::of("quiet").await.world;
    let mut changes = world.changes();
    changes.mark_unchanged();
    world
        .switch("production/api", "503")
        .expect("it can be switched");
    assert!(changes.has_changed().expect("the world is there"));
    let api = world
        .switches()
        .into_iter()
        .find(|switch| switch.name == "production/api");
    assert_eq!(api.expect("it is there").chosen, "503");
    assert_eq!(world.playing().name, "quiet");
}

#[tokio::test]
async fn a_wrong_name_hears_which_are_right() {
    let world = Morning::of("quiet").await.world;
    let said = |refused: anyhow::Result<()>| format!("{:#}", refused.expect_err("it is wrong"));
    assert!(
        said(world.play("brocken-cart"))
            .starts_with("there is no scenario `brocken-cart`; did you mean `broken-cart`?")
    );
    assert!(
        said(world.switch("production/chekout", "503"))
            .contains("did you mean `production/checkout`?")
    );
    assert!(
        said(world.switch("sentry", "404"))
            .starts_with("`sentry` can't be switched to `404`; did you mean `401`?")
    );
}

#[test]
fn the_help_names_the_scenarios_in_their_order() {
    let help = assert_cmd::Command::cargo_bin("daily-ops")
        .expect("it is built")
        .args(["sandbox", "--help"])
        .output()
        .expect("it runs");
    let help = String::from_utf8_lossy(&help.stdout)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let names: Vec<&str> = World::scenarios()
        .iter()
        .map(|scenario| scenario.name)
        .collect();
    let expected = format!("Scenarios: {}", names.join(", "));
    assert!(help.contains(&expected), "`{expected}` in:\n{help}");
}

#[test]
fn a_part_is_a_folder_a_line_and_a_place_in_the_list() {
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/world");
    let read = |path: &Path| fs::read_to_string(path).expect("it can be read");
    let list = read(&world.join("mod.rs"));
    let entries = fs::read_dir(&world).expect("it can be listed").flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    for folder in folders {
        let name = folder.file_name().into_string().expect("it is plain text");
        let lines = list
            .lines()
            .filter(|line| line.contains(&name) && !line.starts_with("//"));
        let lines: Vec<&str> = lines.collect();
        assert!(
            lines.contains(&format!("pub mod {name};").as_str()),
            "{lines:?}"
        );
        let parts = list.split("const PARTS").nth(1).expect("there is a list");
        let parts = parts.split(';').next().expect("it ends");
        assert!(parts.contains(&format!("{name}::PART")), "{parts}");
        assert_eq!(list.matches(&format!("{name}::")).count(), 1, "{lines:?}");
        for file in ["part.rs", "door.rs"] {
            assert!(
                !read(&world.join(file)).contains(&format!("{name}::")),
                "{file} knows `{name}`"
            );
        }
    }
}
