//! Requests from a chat: who may is done, who may not is told and logged, and what is forged changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use daily_ops::{
    bot::{Denials, Desk, Reply, Shown},
    command::{Asked, Form, Item, Pause, Press, View, What},
    ops_log::{Entry, Kind, Sentence},
    permissions::{Asker, Member, Permissions, Right},
    report::{Severity, Verb},
    store::{Filter, Showing},
    triage::Person,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::world::{
    chat::{CHANNEL, Workspace, a_member, clicked, filled_in, home, item_of, typed},
    company::{A_DAY, Company},
    sentry::{Issue, broken_cart, issue},
    stripe::{invoice, stripe_at},
};

const LEASE: TimeDelta = TimeDelta::minutes(1);
const TS: &str = "1700000000.000100";

/// A company whose channel shows the message of a round.
struct Office {
    company: Company,
    desk: Desk,
    workspace: Workspace,
    message: String,
    requests: std::cell::Cell<u32>,
}

impl Office {
    async fn open() -> Self {
        Self::of([
            broken_cart(),
            Issue {
                users: 212,
                ..issue(4502, "OutOfMemory")
            },
        ])
        .await
    }

    async fn of(issues: impl IntoIterator<Item = Issue>) -> Self {
        Self::at(Company::with(issues).await).await
    }

    async fn at(company: Company) -> Self {
        let workspace = Workspace::with([
            ("U0ANNA", a_member()),
            ("U0GINA", a_member()),
            ("U0OTTO", a_member()),
            ("U0MAX", a_member()),
            (
                "U0GUEST",
                Member {
                    is_guest: true,
                    ..a_member()
                },
            ),
            (
                "U0BOT",
                Member {
                    is_bot: true,
                    ..a_member()
                },
            ),
            (
                "U0GONE",
                Member {
                    is_deactivated: true,
                    ..a_member()
                },
            ),
            (
                "U0SHARED",
                Member {
                    is_stranger: true,
                    ..a_member()
                },
            ),
        ]);
        let ops = [String::from("U0GINA")].into();
        workspace.look().groups.insert("S0OPS".to_owned(), ops);
        let mut office = Self {
            desk: Desk {
                bot: Arc::new(company.bot().await),
                permissions: Permissions {
                    triage: vec!["U0ANNA".to_owned(), "S0OPS".to_owned()],
                    money: vec!["U0ANNA".to_owned(), "U0MAX".to_owned()],
                    ..Permissions::default()
                },
                home: home(),
                directory: Arc::new(workspace.clone()),
                denials: Denials::default(),
            },
            company,
            workspace,
            message: String::new(),
            requests: std::cell::Cell::new(0),
        };
        office.message = office.round(TS).await;
        office
    }

    /// A round that anna asks for, until its message is in the channel at that `ts`.
    async fn round(&self, ts: &str) -> String {
        let bot = &self.desk.bot;
        let before = bot.store.living_messages(CHANNEL).await.unwrap();
        assert_eq!(self.type_in("U0ANNA", "daily").await, "");
        assert!(bot.run_asked_round().await.unwrap());
        let mut living = bot.store.living_messages(CHANNEL).await.unwrap();
        living.retain(|id| !before.contains(id));
        let id = living.pop().expect("it has a message");
        while let Some(message) = bot.store.claim_message((bot.clock)(), LEASE).await.unwrap() {
            assert!(
                bot.store
                    .mark_posting(&message, (bot.clock)())
                    .await
                    .unwrap()
            );
            let showing = Showing::Shown {
                ts: if message.id == id {
                    ts.to_owned()
                } else {
                    message.ts.clone().unwrap_or_default()
                },
                digest: "d".to_owned(),
                quiet_until: None,
                doubted_at: None,
                refused_blocks: None,
            };
            bot.store.settle_message(&message, showing).await.unwrap();
        }
        id
    }

    fn key(&self) -> String {
        self.requests.set(self.requests.get() + 1);
        format!("request:{}", self.requests.get())
    }

    async fn ask(&self, asked: Asked) -> String {
        let store = &self.desk.bot.store;
        let now = (self.desk.bot.clock)();
        let receipt = store
            .accept(&asked, now, LEASE)
            .await
            .unwrap()
            .expect("it is new");
        let reply = match self.desk.answer(&asked, &receipt).await {
            Ok(reply) => reply,
            Err(error) => {
                assert_eq!(store.backlog().await.unwrap().waiting, 1, "it is kept");
                store.finish_asked(receipt).await.unwrap();
                return format!("kept: {error:#}");
            }
        };
        assert_eq!(
            store.backlog().await.unwrap().waiting,
            0,
            "it was dealt with: {asked:?}"
        );
        told(&reply)
    }

    async fn type_in(&self, user: &str, words: &str) -> String {
        self.ask(typed(&self.key(), user, words)).await
    }

    fn item(&self, finding: u32, seen: i64) -> Item {
        Item {
            finding: Some(finding),
            seen,
            ..item_of(&self.message)
        }
    }

    async fn click(&self, user: &str, press: Press, item: Item) -> String {
        self.ask(clicked(&self.key(), user, TS, press, item)).await
    }

    /// Every button, menu entry and form, and the typed decisions, as that user sends them.
    fn all_of(&self, user: &str, item: &Item, ts: &str) -> Vec<Asked> {
        let presses = Press::ALL.map(|press| clicked(&self.key(), user, ts, press, item.clone()));
        let forms = [
            Form::Acknowledge {
                reason: Some("known".to_owned()),
            },
            Form::Assign {
                to: "U0OTTO".to_owned(),
            },
            Form::Snooze {
                time: Pause::ThreeDays,
            },
            Form::Snooze {
                time: Pause::UntilItEscalates,
            },
            Form::Note {
                text: "a remark".to_owned(),
            },
            Form::Handle {
                note: "by hand".to_owned(),
            },
            Form::Ticket {
                title: "a title".to_owned(),
                body: String::new(),
                severity: Severity::High,
                labels: Vec::new(),
            },
            read_and_confirmed(Verb::Pay),
            read_and_confirmed(Verb::Send),
            read_and_confirmed(Verb::Resend),
            read_and_confirmed(Verb::Replay),
        ];
        let forms = forms.map(|form| filled_in(&self.key(), user, ts, form, item.clone()));
        presses.into_iter().chain(forms).collect()
    }

    async fn log(&self) -> Vec<Entry> {
        self.desk
            .bot
            .store
            .entries(&Filter::newest(10_000))
            .await
            .unwrap()
    }

    async fn denials(&self) -> usize {
        self.log()
            .await
            .iter()
            .filter(|entry| entry.kind == Kind::Denied)
            .count()
    }

    /// What people have decided, and what is owed to the other side.
    async fn done(&self) -> (usize, usize) {
        let decisions = self
            .log()
            .await
            .iter()
            .filter(|entry| entry.kind == Kind::Decision)
            .count();
        (
            decisions,
            self.desk.bot.store.open_effects().await.unwrap().len(),
        )
    }
}

fn told(reply: &Reply) -> String {
    match reply {
        Reply::Nothing => String::new(),
        Reply::Private(lines) => lines
            .iter()
            .map(Sentence::plain)
            .collect::<Vec<_>>()
            .join("\n"),
        Reply::Help => "<help>".to_owned(),
        Reply::Tickets { tickets, .. } => format!("<{} tickets>", tickets.len()),
        Reply::Log(entries) => format!("<log of {}>", entries.len()),
        Reply::Status(_) => "<status>".to_owned(),
        Reply::Running { ended, .. } => format!("<running, ended: {ended}>"),
        Reply::View(shown) => match &**shown {
            Shown::Form { finding, .. } => format!("<form for {}>", finding.key),
            Shown::Ticket { draft, .. } => format!("<ticket for {}>", draft.title),
            Shown::Details { known, .. } => format!("<details of {}>", known.finding.key),
            Shown::Rest(_) => "<rest>".to_owned(),
        },
    }
}

fn read_and_confirmed(verb: Verb) -> Form {
    Form::Remedy {
        verb,
        read: "0123456789abcdef".to_owned(),
    }
}

fn needs(asked: &Asked) -> Right {
    match &asked.what {
        What::Press {
            press: Press::Open(View::Details | View::Rest),
            ..
        } => Right::Look,
        What::Press {
            press: Press::Open(View::Remedy(Verb::Pay)),
            ..
        }
        | What::Submit {
            form: Form::Remedy {
                verb: Verb::Pay, ..
            },
            ..
        } => Right::Money,
        What::Command(words) if words.starts_with("triage pay ") => Right::Money,
        What::Command(words) if words.starts_with("ticket list") => Right::Look,
        What::Command(words) if words.starts_with("ticket show") => Right::Look,
        _ => Right::Triage,
    }
}

/// Every decision that can be typed.
const TYPED: [&str; 15] = [
    "triage ack errors:4501",
    "triage assign errors:4501 ben",
    "triage snooze errors:4501",
    "triage resolve errors:4501",
    "triage archive errors:4501",
    "triage undo errors:4501",
    "triage note errors:4501 hello",
    "triage handle errors:4501 by hand",
    "triage pay errors:4501 --yes",
    "triage pay errors:4501",
    "triage send errors:4501",
    "triage resend errors:4501",
    "triage replay errors:4501",
    "triage ticket errors:4501 --title other",
    "ticket close errors:4501",
];

#[tokio::test]
async fn whoever_may_not_is_told_and_logged_and_changes_nothing() {
    let office = Office::open().await;
    let reasons = [
        ("U0OTTO", "not in `triage` of [permissions]"),
        ("U0GINA", "not in `money` of [permissions]"),
        ("U0MAX", "not in `triage` of [permissions]"),
        ("U0GUEST", "a guest"),
        ("U0BOT", "a bot"),
        ("U0GONE", "a deactivated account"),
        ("U0SHARED", "of another workspace"),
        ("U0ALIEN", "of another workspace"),
    ];
    for (user, reason) in reasons {
        let mut all = office.all_of(user, &office.item(0, 0), TS);
        all.extend(TYPED.map(|words| typed(&office.key(), user, words)));
        for mut asked in all {
            if user == "U0ALIEN" {
                asked.by = Asker {
                    team: Some("T0OTHER".to_owned()),
                    ..asked.by
                };
            }
            let right = needs(&asked);
            let may = match user {
                "U0OTTO" => right == Right::Look,
                "U0GINA" => right != Right::Money,
                "U0MAX" => right != Right::Triage,
                _ => false,
            };
            if may {
                continue;
            }
            let reason = match user {
                "U0OTTO" if right == Right::Money => "not in `money` of [permissions]",
                _ => reason,
            };
            // Within the hour, the same would have no entry of its own.
            office.company.later(TimeDelta::hours(1));
            let before = office.denials().await;
            let said = office.ask(asked.clone()).await;
            assert!(said.ends_with("; nothing was changed"), "{user} {said}");
            let log = office.log().await;
            let newest = log
                .iter()
                .max_by_key(|entry| entry.seq)
                .expect("it is logged");
            let body = newest.body.as_ref().expect("it is not erased");
            assert_eq!(office.denials().await, before + 1, "{asked:?}");
            assert_eq!(
                (newest.kind, newest.subject.as_str()),
                (Kind::Denied, ""),
                "nobody is named for ever"
            );
            assert_eq!(body.by.id(), format!("slack:{user}"));
            assert!(body.text.plain().contains(reason), "{}", body.text.plain());
        }
    }
    assert_eq!(office.done().await, (0, 0));
    office.desk.bot.project_waiting().await.unwrap();
    let file = office.company.log_file();
    for tried in [
        "not allowed: acknowledge of `errors:4501`",
        "not allowed: resend of `errors:4501`",
        "not allowed: pay of `errors:4501`",
        "not allowed: ticket of `errors:4501`",
        "close the ticket `errors:4501`",
    ] {
        assert!(file.contains(tried), "{tried}: {file}");
    }
}

#[tokio::test]
async fn while_the_directory_is_away_nobody_is_let_through_and_nobody_is_accused() {
    let office = Office::open().await;
    office.workspace.look().down = true;
    for user in ["U0ANNA", "U0GINA", "U0OTTO", "U0NOBODY"] {
        let mut all = office.all_of(user, &office.item(0, 0), TS);
        for words in [
            "daily",
            "check errors",
            "status",
            "log",
            "triage ack errors:4501",
        ] {
            all.push(typed(&office.key(), user, words));
        }
        for asked in all {
            let said = office.ask(asked).await;
            assert!(
                said.contains("is not known, so nothing was changed"),
                "{user} {said}"
            );
        }
    }
    assert_eq!((office.done().await, office.denials().await), ((0, 0), 0));
    assert!(
        !office.desk.bot.run_asked_round().await.unwrap(),
        "no round was asked for"
    );
    assert_eq!(office.type_in("U0NOBODY", "help").await, "<help>");
}

#[tokio::test]
async fn a_button_works_on_its_own_message_alone() {
    let office = Office::open().await;
    let own = office.item(0, 0);
    let elsewhere = |asked: Asked| Asked {
        channel: Some("C0OTHER".to_owned()),
        ..asked
    };
    let nowhere = |asked: Asked| Asked {
        channel: None,
        message: None,
        ..asked
    };
    let unknown = Item {
        finding: Some(0),
        ..item_of("00000000000000ff")
    };
    let places = [
        (
            "another message",
            office.all_of("U0ANNA", &own, "1700000000.000200"),
        ),
        (
            "another channel",
            office
                .all_of("U0ANNA", &own, TS)
                .into_iter()
                .map(elsewhere)
                .collect(),
        ),
        (
            "no message",
            office
                .all_of("U0ANNA", &own, TS)
                .into_iter()
                .map(nowhere)
                .collect(),
        ),
        ("an unknown message", office.all_of("U0ANNA", &unknown, TS)),
        (
            "an index out of range",
            office.all_of("U0ANNA", &office.item(999_999, 0), TS),
        ),
        (
            "no index",
            office.all_of("U0ANNA", &item_of(&office.message), TS),
        ),
    ];
    for (place, all) in places {
        for asked in all {
            let is_rest = matches!(
                asked.what,
                What::Press {
                    press: Press::Open(View::Rest),
                    ..
                }
            );
            let is_of_message = place.ends_with("index") || place.contains("out of range");
            let said = office.ask(asked).await;
            if is_rest && is_of_message {
                assert_eq!(said, "<rest>", "{place}");
            } else {
                assert!(said.ends_with("nothing was changed"), "{place}: {said}");
            }
        }
    }
    assert_eq!((office.done().await, office.denials().await), ((0, 0), 0));
    assert_eq!(office.click("U0ANNA", Press::Acknowledge, own).await, "");
    assert_eq!(office.done().await.0, 1);
}

#[tokio::test]
async fn everybody_may_look_unless_a_list_says_who() {
    let mut office = Office::open().await;
    let look = [
        "ticket list",
        "ticket list --all",
        "status",
        "log",
        "log show --last 3",
        "log search cart",
        "log verify",
        "triage show errors:4501",
    ];
    for words in look {
        let said = office.type_in("U0OTTO", words).await;
        assert!(
            !said.contains("not permitted") && !said.is_empty(),
            "{words}: {said}"
        );
    }
    assert_eq!(
        office
            .click("U0OTTO", Press::Open(View::Rest), item_of(&office.message))
            .await,
        "<rest>"
    );
    assert_eq!(
        office
            .click("U0OTTO", Press::Open(View::Details), office.item(0, 0))
            .await,
        "<details of errors:4501>"
    );
    office.desk.permissions.look = Some(vec!["S0OPS".to_owned()]);
    for words in look.iter().chain(&["daily", "check errors"]) {
        assert!(
            office.type_in("U0OTTO", words).await.contains("`look`"),
            "{words}"
        );
        assert!(
            !office.type_in("U0ANNA", words).await.contains("permitted"),
            "{words}"
        );
    }
    // One for each kind: tickets, status, log, finding, round.
    assert_eq!(office.denials().await, 5);
}

#[tokio::test]
async fn of_two_who_click_at_once_one_decides_and_the_other_is_told_who_was_first() {
    let office = Office::open().await;
    let both = ["U0ANNA", "U0GINA"];
    let mut clicks = Vec::new();
    for user in both {
        let asked = clicked(&office.key(), user, TS, Press::Resolve, office.item(0, 0));
        let now = (office.desk.bot.clock)();
        let receipt = office
            .desk
            .bot
            .store
            .accept(&asked, now, LEASE)
            .await
            .unwrap();
        clicks.push((asked, receipt.expect("it is new")));
    }
    let (first, second) = tokio::join!(
        office.desk.answer(&clicks[0].0, &clicks[0].1),
        office.desk.answer(&clicks[1].0, &clicks[1].1),
    );
    let said = [told(&first.unwrap()), told(&second.unwrap())];
    let loser = said
        .iter()
        .position(|said| !said.is_empty())
        .expect("one was second");
    assert_eq!(said[1 - loser], "", "{said:?}");
    let winner = both[1 - loser];
    assert!(
        said[loser].starts_with(&format!("already resolved by {winner}")),
        "{said:?}"
    );
    assert_eq!(office.done().await, (1, 1));
    // The first delivery's process was slow, and somebody took its request over: it says nothing.
    let late = office
        .desk
        .answer(&clicks[1 - loser].0, &clicks[1 - loser].1)
        .await;
    assert_eq!(told(&late.unwrap()), "");
    assert_eq!(office.done().await, (1, 1));
}

#[tokio::test]
async fn a_late_click_on_an_old_picture_undoes_nothing_newer() {
    let office = Office::open().await;
    assert_eq!(
        office
            .click("U0ANNA", Press::Acknowledge, office.item(0, 0))
            .await,
        ""
    );
    let said = office
        .type_in("U0GINA", "triage snooze errors:4501 3d")
        .await;
    assert!(said.starts_with("snoozed"), "{said}");
    let late = office.click("U0ANNA", Press::Undo, office.item(0, 1)).await;
    assert!(
        late.starts_with("it was snoozed") && late.contains("by U0GINA"),
        "{late}"
    );
    let later = office
        .click("U0ANNA", Press::Acknowledge, office.item(0, 0))
        .await;
    assert!(
        later.contains("U0GINA") && later.contains("nothing was changed"),
        "{later}"
    );
    assert_eq!(office.done().await.0, 2);
    assert_eq!(
        office.click("U0ANNA", Press::Undo, office.item(0, 2)).await,
        ""
    );
    assert_eq!(office.done().await.0, 3);
}

#[tokio::test]
async fn two_clicks_on_undo_take_one_decision_back_and_the_second_hears_of_the_first() {
    let office = Office::open().await;
    let acknowledged = office.click("U0ANNA", Press::Acknowledge, office.item(0, 0));
    assert_eq!(acknowledged.await, "");
    let snoozed = office.click("U0ANNA", Press::Snooze, office.item(0, 1));
    assert_eq!(snoozed.await, "");
    let first = office.click("U0ANNA", Press::Undo, office.item(0, 2)).await;
    assert_eq!(first, "");
    let second = office.click("U0GINA", Press::Undo, office.item(0, 2)).await;
    assert!(
        second.starts_with("decision 2 was already undone by ")
            && second.contains("U0ANNA")
            && second.ends_with(": nothing was changed"),
        "{second}"
    );
    assert_eq!(office.done().await.0, 3);
}

#[tokio::test]
async fn what_a_form_asks_for_is_decided_and_kept() {
    let office = Office::open().await;
    let submit = async |form, seen| {
        office
            .ask(filled_in(
                &office.key(),
                "U0GINA",
                TS,
                form,
                office.item(0, seen),
            ))
            .await
    };
    assert_eq!(
        submit(
            Form::Note {
                text: "look at the release".to_owned()
            },
            0
        )
        .await,
        ""
    );
    assert_eq!(
        submit(
            Form::Acknowledge {
                reason: Some("known".to_owned())
            },
            1
        )
        .await,
        ""
    );
    let to_otto = Form::Assign {
        to: "U0OTTO".to_owned(),
    };
    let said = submit(to_otto, 2).await;
    assert!(said.contains("the other side is not told"), "{said}");
    let text = office
        .log()
        .await
        .iter()
        .filter_map(|entry| entry.body.clone())
        .map(|body| body.text.plain())
        .collect::<Vec<_>>()
        .join("\n");
    for words in ["look at the release", "known", "assigned to U0OTTO"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn a_click_on_what_is_gone_or_too_old_says_so() {
    let office = Office::open().await;
    office.company.sentry.world().issues.clear();
    office.company.later(TimeDelta::hours(1));
    office.round("1700000000.000900").await;
    let said = office
        .click("U0ANNA", Press::Acknowledge, office.item(0, 0))
        .await;
    assert!(
        said.contains("errors:4501 is no longer on the list: newer looks did not find it"),
        "{said}"
    );
    let details = office
        .click("U0ANNA", Press::Open(View::Details), office.item(0, 0))
        .await;
    assert_eq!(details, "<details of errors:4501>");

    office.company.later(A_DAY * 92);
    office.round("1700000000.000950").await;
    let said = office
        .click("U0ANNA", Press::Acknowledge, office.item(0, 0))
        .await;
    assert!(said.contains("is not known any more"), "{said}");
    assert_eq!(office.done().await.0, 0);
}

#[tokio::test]
async fn what_a_newer_look_no_longer_finds_has_no_row_in_an_older_message() {
    let office = Office::open().await;
    let bot = &office.desk.bot;
    let rows = async || {
        let pictured = bot.picture(&office.message).await.unwrap();
        let triaged = pictured.expect("it is there").done.expect("it ran").triaged;
        (triaged.rows().count(), triaged.gone.len())
    };
    let (before, gone) = rows().await;
    assert_eq!(gone, 0);
    office.company.sentry.world().issues.clear();
    office.company.later(TimeDelta::hours(1));
    let by = Person::at_terminal("ben");
    let nothing = BTreeMap::new();
    let only = ["errors".to_owned()];
    let round = bot.round(Some(&only), &nothing, &by, None, |_| ());
    Box::pin(round).await.unwrap();
    assert_eq!(rows().await, (0, before));
    let pictured = bot.picture(&office.message).await.unwrap();
    let triaged = pictured.expect("it is there").done.expect("it ran").triaged;
    assert!(
        triaged
            .ok()
            .chain(triaged.in_hand())
            .all(|check| check != "errors"),
        "how the errors are now, the newer look says"
    );
}

#[tokio::test]
async fn what_could_not_be_remembered_is_not_gone_once_the_backup_is_there() {
    let office = Office::open().await;
    let bot = &office.desk.bot;
    let issues = std::mem::take(&mut office.company.sentry.world().issues);
    office.company.later(TimeDelta::hours(1));
    office.round("1700000000.000900").await;
    let backup = [
        "CREATE TABLE backup AS SELECT * FROM memory",
        "UPDATE memory SET known = '{'",
    ];
    office.company.intrude(&backup).await;
    office.company.sentry.world().issues = issues;
    office.company.later(TimeDelta::hours(1));
    let message = office.round("1700000000.000950").await;
    let needs_you = async || {
        let pictured = bot.picture(&message).await.expect("it can be shown");
        let done = pictured.expect("it is there").done.expect("it ran");
        done.triaged.needs_you.len()
    };
    let found = needs_you().await;
    assert!(found > 0);
    let restored = [
        "DELETE FROM memory",
        "INSERT INTO memory SELECT * FROM backup",
    ];
    office.company.intrude(&restored).await;
    assert_eq!(needs_you().await, found);
}

#[tokio::test]
async fn only_somebody_who_can_see_to_it_is_given_something_in_a_chat() {
    let office = Office::open().await;
    for (who, why) in [
        ("nobody", "nobody is known here as nobody"),
        ("@nobody", "nobody is known here as nobody"),
        ("<@U0GUEST|guest>", "is a guest"),
        ("<@U0BOT|bot>", "is a bot"),
    ] {
        let said = office
            .type_in("U0ANNA", &format!("triage assign errors:4501 {who}"))
            .await;
        assert!(said.contains(why), "{who}: {said}");
        assert!(said.ends_with("nothing was changed"), "{who}: {said}");
    }
    assert_eq!(office.done().await, (0, 0));
    let said = office
        .type_in("U0ANNA", "triage assign errors:4501 <@U0OTTO|otto>")
        .await;
    assert!(said.contains("assigned to"), "{said}");
    assert!(said.contains("the other side is not told"), "{said}");
}

#[tokio::test]
async fn what_no_other_side_hears_of_is_given_to_members_alone() {
    let mut company = Company::with([]).await;
    let owed = invoice("in_1").of("cus_1").eur(4_900);
    let owed = owed.declined("insufficient_funds").attempts(3).ago(A_DAY);
    let stripe = stripe_at(company.time()).with(owed).open().await.unwrap();
    company.is_paid_at(&stripe);
    let office = Office::at(company).await;
    let assign = "triage assign payments:invoice/in_1";
    for who in ["typo@acme.com", "#web", "@nobody"] {
        let said = office.type_in("U0ANNA", &format!("{assign} {who}")).await;
        assert!(
            said.starts_with("nobody is known here as "),
            "{who}: {said}"
        );
        assert!(!said.contains("other side"), "{who}: {said}");
    }
    assert_eq!(office.done().await, (0, 0));
    let said = office
        .type_in("U0ANNA", &format!("{assign} <@U0OTTO|otto>"))
        .await;
    assert!(said.contains("assigned to"), "{said}");
    assert!(!said.contains("other side"), "{said}");
}

#[tokio::test]
async fn many_denied_attempts_at_the_same_have_one_entry_and_an_answer_each() {
    let office = Office::open().await;
    for _ in 0..20 {
        let said = office.type_in("U0GUEST", "daily").await;
        assert!(said.contains("guests may not do that"), "{said}");
    }
    assert_eq!(office.denials().await, 1);
    office.company.later(TimeDelta::hours(1));
    office.type_in("U0GUEST", "daily").await;
    let log = office.log().await;
    let newest = log.iter().max_by_key(|entry| entry.seq).unwrap();
    let text = newest.body.as_ref().unwrap().text.plain();
    assert!(text.starts_with("not allowed: a round · a guest"), "{text}");
    assert!(text.contains("19 more"), "{text}");
}

#[tokio::test]
async fn denied_attempts_on_each_finding_have_an_entry_and_the_others_are_counted_without_another_attempt()
 {
    let office = Office::open().await;
    for finding in [0, 1, 0, 0] {
        let item = office.item(finding, 0);
        let said = office.click("U0OTTO", Press::Acknowledge, item).await;
        assert!(said.ends_with("nothing was changed"), "{said}");
    }
    assert_eq!(office.denials().await, 2);
    office.desk.log_left_out().await.unwrap();
    office.desk.log_left_out().await.unwrap();
    office.desk.bot.project_waiting().await.unwrap();
    let file = office.company.log_file();
    for said in [
        "not allowed: acknowledge of `errors:4501`",
        "not allowed: acknowledge of `errors:4502`",
        "not allowed: acknowledge · 2 more since the entry before",
    ] {
        assert_eq!(file.matches(said).count(), 1, "{said}: {file}");
    }
    assert_eq!(office.denials().await, 3);
}

#[tokio::test]
async fn a_click_on_a_message_that_was_given_up_is_answered_alone() {
    let office = Office::open().await;
    let store = &office.desk.bot.store;
    store.refresh_messages().await.unwrap();
    let now = (office.desk.bot.clock)();
    let message = store.claim_message(now, LEASE).await.unwrap();
    let message = message.expect("it waits");
    assert!(store.settle_message(&message, Showing::Gone).await.unwrap());
    let said = office
        .click("U0ANNA", Press::Acknowledge, office.item(0, 0))
        .await;
    assert!(said.contains("acknowledged"), "{said}");
    assert_eq!(office.done().await.0, 1);
}

#[tokio::test]
async fn a_note_that_is_too_long_is_refused_and_not_cut() {
    let office = Office::open().await;
    let note = "a word ".repeat(150);
    let said = office
        .type_in("U0ANNA", &format!("triage note errors:4501 {note}"))
        .await;
    assert!(said.contains("1,049 characters"), "{said}");
    assert_eq!(office.done().await, (0, 0));
}

#[tokio::test]
async fn wrong_words_get_the_nearest_right_ones_and_help_needs_nobodys_leave() {
    let office = Office::open().await;
    office.workspace.look().asked.clear();
    assert_eq!(
        office.type_in("U0GUEST", "dayly").await,
        "there is no `dayly` here; did you mean `daily`?"
    );
    assert_eq!(office.type_in("U0GUEST", "").await, "<help>");
    assert_eq!(office.type_in("U0GUEST", "help").await, "<help>");
    assert_eq!(office.workspace.look().asked, [""; 0]);
    let said = office.type_in("U0ANNA", "check helth").await;
    assert!(said.contains("health"), "{said}");
    let said = office.type_in("U0ANNA", "triage ack errors:45").await;
    assert!(said.contains("did you mean errors:450"), "{said}");
    let said = office
        .type_in("U0ANNA", "log verify --anchor nonsense")
        .await;
    assert!(!said.is_empty());
    let no_channel = Asked {
        channel: None,
        ..typed(&office.key(), "U0ANNA", "daily")
    };
    assert!(office.ask(no_channel).await.contains("needs a channel"));
    assert_eq!(office.done().await, (0, 0));
}

#[tokio::test]
async fn a_round_that_is_under_way_is_shown_to_whoever_asks_for_it_again() {
    let office = Office::open().await;
    office.company.later(TimeDelta::minutes(1));
    assert_eq!(office.type_in("U0ANNA", "check errors health").await, "");
    assert_eq!(
        office.type_in("U0OTTO", "check health errors").await,
        "<running, ended: false>"
    );
    assert!(office.desk.bot.run_asked_round().await.unwrap());
    assert_eq!(
        office.type_in("U0OTTO", "check health errors").await,
        "<running, ended: true>"
    );
    assert!(!office.desk.bot.run_asked_round().await.unwrap());
}

fn anything() -> impl Strategy<Value = (bool, String, Option<String>, Option<String>, What)> {
    let word = prop_oneof![
        any::<String>(),
        "[a-z:0-9 \"<>@|&;-]{0,60}".prop_map(String::from)
    ];
    let known = prop::sample::select(vec![
        "daily",
        "check",
        "status",
        "triage ack",
        "triage note",
        "triage handle",
        "triage pay",
        "triage ticket",
        "ticket show",
        "ticket close",
        "log search",
        "log show --last",
        "triage snooze",
    ]);
    let command =
        (known, word.clone()).prop_map(|(known, rest)| What::Command(format!("{known} {rest}")));
    let item = || {
        (prop::option::of(any::<u32>()), any::<i64>(), any::<bool>()).prop_map(
            |(finding, seen, ours)| Item {
                message: if ours {
                    String::new()
                } else {
                    "0123456789abcdef".to_owned()
                },
                finding: finding.map(|finding| finding % 5),
                seen,
            },
        )
    };
    let press = (prop::sample::select(Press::ALL.to_vec()), item())
        .prop_map(|(press, item)| What::Press { press, item });
    let form = prop_oneof![
        prop::option::of(any::<String>()).prop_map(|reason| Form::Acknowledge { reason }),
        any::<String>().prop_map(|to| Form::Assign { to }),
        any::<String>().prop_map(|text| Form::Note { text }),
        any::<String>().prop_map(|note| Form::Handle { note }),
        prop::sample::select(Verb::ALL.to_vec()).prop_map(read_and_confirmed),
        (any::<String>(), any::<String>(), any::<String>()).prop_map(|(title, body, label)| {
            Form::Ticket {
                title,
                body,
                severity: Severity::Low,
                labels: vec![label],
            }
        }),
        prop::sample::select(Pause::ALL.to_vec()).prop_map(|time| Form::Snooze { time }),
    ];
    let submit = (form, item()).prop_map(|(form, item)| What::Submit { form, item });
    let place = || {
        prop::option::of(prop_oneof![
            Just(CHANNEL.to_owned()),
            Just(TS.to_owned()),
            any::<String>()
        ])
    };
    (
        any::<bool>(),
        any::<String>(),
        place(),
        place(),
        prop_oneof![command, word.prop_map(What::Command), press, submit],
    )
}

#[tokio::test]
async fn nothing_that_is_asked_makes_it_panic_or_leaves_it_waiting() {
    let office = Office::open().await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let tree = anything().new_tree(&mut runner).expect("there is a value");
        let (known, user, channel, message, mut what) = tree.current();
        if let What::Press { item, .. } | What::Submit { item, .. } = &mut what
            && item.message.is_empty()
        {
            item.message.clone_from(&office.message);
        }
        let user = if known { "U0ANNA" } else { &user };
        office
            .ask(Asked {
                channel,
                message,
                what,
                ..typed(&office.key(), user, "")
            })
            .await;
    }
    office
        .desk
        .bot
        .store
        .verify(None)
        .await
        .unwrap()
        .expect("the log is intact");
}
