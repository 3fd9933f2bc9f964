//! The sandbox's company: what its scenarios and switches do to the report.

use daily_ops::{
    bot::Bot,
    checks::registry,
    config::Config,
    render,
    sandbox::{time::Time, world::World},
    store::{Access, Store},
    triage::Row,
};
use tempfile::TempDir;

use crate::world::company::{A_DAY, decide, text, ticking, verdict, walk};

/// The company with a bot that looks at it; the time moves only when it is moved.
pub(crate) struct Morning {
    pub(crate) world: World,
    bot: Bot,
    _folder: TempDir,
}

impl Morning {
    /// Monday at nine in Berlin, and this has happened.
    pub(crate) async fn of(scenario: &str) -> Self {
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
        let store = Store::open("sqlite::memory:", Access::ReadWrite).await;
        let bot = config.bot(store.expect("the store opens"), ticking(&world.time));
        Self {
            world,
            bot,
            _folder: folder,
        }
    }

    /// Without how many are well, which grows with each check: the verdict, what changed, what needs somebody, and what is not known; a line each.
    pub(crate) async fn report(&self) -> String {
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
            .map(|gone| format!("gone {}", gone.known.finding.key));
        let unknown = triaged.unknown.iter().flat_map(|blind| &blind.reasons);
        let unknown = unknown.map(|why| format!("unknown: {}", why.reason.as_str()));
        let verdict = verdict(&round);
        let counts = verdict.split(", ").filter(|count| !count.ends_with(" ok"));
        let counts: Vec<&str> = counts.collect();
        std::iter::once(counts.join(", "))
            .chain(changes)
            .chain(rows)
            .chain(gone)
            .chain(unknown)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn switch(&self, name: &str, value: &str) {
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
        assert_eq!(quiet.report().await, "");
        quiet.next_morning();
    }
}

#[tokio::test]
async fn a_release_broke_the_cart_and_the_next_morning_tells_what_became_of_it() {
    let broken = Morning::of("broken-cart").await;
    let said = broken.report().await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "3 need you");
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
        "2 need you\n1 new, 1 better, 2 gone\n\
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
        "2 need you\n\
         critical errors:4611: PaymentError: POST /checkout answered 503\n\
         critical health:production/checkout: production checkout answers 503"
    );
    down.next_morning();
    assert_eq!(
        down.report().await,
        "\n2 gone\ngone errors:4611\ngone health:production/checkout"
    );
}

#[tokio::test]
async fn while_our_own_network_is_gone_nothing_is_said_to_be_down() {
    let gone = Morning::of("no-network").await;
    let said = gone.report().await;
    assert!(
        said.starts_with("1 needs you, 3 unknown\nhigh health:own-network: our own network:"),
        "{said}"
    );
    assert!(
        said.contains("unknown: 8 endpoints could not be seen: our own network failed"),
        "{said}"
    );
    assert!(
        said.contains("unknown: Sentry GET")
            && said.contains("unknown: Stripe GET")
            && said.contains("connection refused"),
        "{said}"
    );
    gone.switch("network", "there");
    // The usual declines were not known while the network was gone; they need nobody.
    assert_eq!(
        gone.report().await,
        "\n2 new, 1 gone\ngone health:own-network"
    );
}

#[tokio::test]
async fn a_refused_token_is_unknown_and_what_it_needs_is_said() {
    let refused = Morning::of("sentry-403").await;
    let said = refused.report().await;
    assert!(said.starts_with("1 unknown\nunknown: Sentry GET"), "{said}");
    assert!(
        said.ends_with("give the token in SENTRY_AUTH_TOKEN the scope `event:read`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_stubborn_error_that_was_resolved_is_gone_from_sentry_and_back_the_next_morning() {
    let regression = Morning::of("regression").await;
    let open = "high errors:4395: IntegrityError: an invoice was sent twice";
    assert_eq!(regression.report().await, format!("1 needs you\n{open}"));
    let said = text(&decide(&regression.bot, "anna", "resolve errors:4395").await);
    assert!(said.contains("resolved"), "{said}");
    assert_eq!(regression.report().await, "\n1 gone\ngone errors:4395");
    regression.next_morning();
    assert_eq!(
        regression.report().await,
        format!("1 needs you\n1 new\n{open}")
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
