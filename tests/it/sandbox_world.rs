//! The sandbox's company: what its scenarios and switches do to the report.

use std::{fs, path::Path};

use chrono::TimeDelta;
use daily_ops::{
    bot::{Bot, Projection, Wake},
    checks::registry,
    config::Config,
    render,
    sandbox::{time::Time, world::World},
    store::{Access, Store},
    triage::Row,
};
use tempfile::TempDir;

use crate::world::company::{A_DAY, decide, text, verdict, walk};

/// The company with a bot that looks at it; the time moves only when it is moved.
struct Morning {
    world: World,
    bot: Bot,
    _folder: TempDir,
}

impl Morning {
    /// Monday at nine in Berlin, and this has happened.
    async fn of(scenario: &str) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let nine = "2026-11-23T08:00:00Z".parse().expect("it is a time");
        let world = World::open(Time::standing(nine)).await.expect("it opens");
        world.play(scenario).expect("it can be played");
        let folder = TempDir::new().expect("a folder can be made");
        let toml = format!(
            "[database]\nurl = \"sqlite::memory:\"\n[ops_log]\npath = {:?}\n{}",
            folder.path().join("ops-log.md"),
            world.configuration()
        );
        let config = Config::parse(&toml, &registry(), &|name| world.secret(name))
            .unwrap_or_else(|error| panic!("{error:#}"));
        let time = world.time.clone();
        let bot = Bot {
            store: Store::open("sqlite::memory:", Access::ReadWrite)
                .await
                .expect("the store opens"),
            checklist: config.checklist,
            schedule: config.schedule,
            log_path: config.ops_log.path,
            clock: std::sync::Arc::new(move || {
                time.advance(TimeDelta::milliseconds(1));
                time.now()
            }),
            people: config.people,
            wake: Wake::default(),
            projection: Projection::default(),
        };
        Self {
            world,
            bot,
            _folder: folder,
        }
    }

    /// The verdict, what changed, what needs somebody, and what is not known; a line each.
    async fn report(&self) -> String {
        let round = walk(&self.bot).await;
        let triaged = &round.triaged;
        let row = |row: &Row| {
            let finding = &row.finding;
            format!(
                "{} {}: {}",
                finding.severity,
                finding.key,
                finding.title.as_str()
            )
        };
        let changes = render::changes(triaged).filter(|_| triaged.previous.is_some());
        let rows = triaged.needs_you.iter().map(row);
        let gone = triaged
            .gone
            .iter()
            .map(|known| format!("gone {}", known.finding.key));
        let unknown = triaged.unknown.iter().flat_map(|blind| &blind.reasons);
        let unknown = unknown.map(|why| format!("unknown: {}", why.reason.as_str()));
        std::iter::once(verdict(&round))
            .chain(changes)
            .chain(rows)
            .chain(gone)
            .chain(unknown)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn switch(&self, name: &str, value: &str) {
        self.world.switch(name, value).expect("it can be switched");
    }

    fn next_morning(&self) {
        self.world.time.advance(A_DAY);
    }
}

#[tokio::test]
async fn a_quiet_monday_stays_quiet_for_a_week() {
    let quiet = Morning::of("quiet").await;
    for _ in 0..7 {
        assert_eq!(quiet.report().await, "3 ok");
        quiet.next_morning();
    }
}

#[tokio::test]
async fn a_release_broke_the_cart_and_the_next_morning_tells_what_became_of_it() {
    let broken = Morning::of("broken-cart").await;
    let said = broken.report().await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "3 need you, 1 ok");
    assert_eq!(
        lines[1],
        "critical errors:4501: TypeError: cart is undefined"
    );
    assert!(
        lines[2].starts_with("medium health:production/api/latency: production api answers in "),
        "{said}"
    );
    assert_eq!(
        lines[3],
        "medium errors:4502: TimeoutError: the inventory did not answer within 2 s"
    );
    broken.next_morning();
    assert_eq!(
        broken.report().await,
        "2 need you, 2 ok\n1 new, 1 better, 2 gone\n\
         critical errors:4501: TypeError: cart is undefined\n\
         high errors:4504: RangeError: Maximum call stack size exceeded\n\
         gone errors:4502\ngone health:production/api/latency"
    );
}

#[tokio::test]
async fn a_checkout_that_is_down_is_said_once_by_its_address_and_once_by_sentry() {
    let down = Morning::of("checkout-down").await;
    assert_eq!(
        down.report().await,
        "2 need you, 1 ok\n\
         critical errors:4611: PaymentError: POST /checkout answered 503\n\
         critical health:production/checkout: production checkout answers 503"
    );
    down.next_morning();
    assert_eq!(
        down.report().await,
        "3 ok\n2 gone\ngone errors:4611\ngone health:production/checkout"
    );
}

#[tokio::test]
async fn while_our_own_network_is_gone_nothing_is_said_to_be_down() {
    let gone = Morning::of("no-network").await;
    let said = gone.report().await;
    assert!(
        said.starts_with("1 needs you, 2 unknown, 1 ok\nhigh health:own-network: our own network:"),
        "{said}"
    );
    assert!(
        said.contains("unknown: 8 endpoints could not be seen: our own network failed"),
        "{said}"
    );
    assert!(
        said.contains("unknown: Sentry GET") && said.contains("connection refused"),
        "{said}"
    );
    gone.switch("network", "there");
    assert_eq!(gone.report().await, "3 ok\n1 gone\ngone health:own-network");
}

#[tokio::test]
async fn a_refused_token_is_unknown_and_what_it_needs_is_said() {
    let refused = Morning::of("sentry-403").await;
    let said = refused.report().await;
    assert!(
        said.starts_with("1 unknown, 2 ok\nunknown: Sentry GET"),
        "{said}"
    );
    assert!(
        said.ends_with("give the token in SENTRY_AUTH_TOKEN the scope `event:read`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_stubborn_error_that_was_resolved_is_gone_from_sentry_and_back_the_next_morning() {
    let regression = Morning::of("regression").await;
    let open = "high errors:4395: IntegrityError: an invoice was sent twice";
    assert_eq!(
        regression.report().await,
        format!("1 needs you, 2 ok\n{open}")
    );
    let said = text(&decide(&regression.bot, "anna", "resolve errors:4395").await);
    assert!(said.contains("resolved"), "{said}");
    assert_eq!(regression.report().await, "3 ok\n1 gone\ngone errors:4395");
    regression.next_morning();
    assert_eq!(
        regression.report().await,
        format!("1 needs you, 2 ok\n1 new\n{open}")
    );
}

#[tokio::test]
async fn a_monday_with_everything_has_more_than_a_message_holds() {
    let busy = Morning::of("busy-monday").await;
    let round = walk(&busy.bot).await;
    let rows = round.triaged.rows().count();
    assert!(rows > 40 && round.triaged.needs_you.len() > 20, "{rows}");
    let said = busy.report().await;
    for expected in [
        "production checkout answers 503",
        "production api answers in",
        "staging website answers",
        "staging api answers 200 without",
        "Sentry drops events: 1,240",
    ] {
        assert!(said.contains(expected), "`{expected}` in:\n{said}");
    }
}

#[tokio::test]
async fn hostile_titles_are_one_printable_line_each() {
    let hostile = Morning::of("hostile-titles").await;
    let said = hostile.report().await;
    assert_eq!(said.lines().count(), 1 + 11, "{said}");
    let bad =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2066}');
    assert!(!said.contains(bad) && !said.contains("sntryu_"), "{said}");
}

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
            said.lines().any(|line| line.starts_with(expected)),
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
            said.starts_with("1 unknown, 2 ok"),
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
        assert!(said.starts_with("3 ok"), "after {}: {said}", scenario.name);
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
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0], format!("pub mod {name};"));
        assert!(lines[1].starts_with("const PARTS") && lines[1].contains(&format!("{name}::PART")));
        for file in ["part.rs", "door.rs"] {
            assert!(
                !read(&world.join(file)).contains(&format!("{name}::")),
                "{file} knows `{name}`"
            );
        }
    }
}
