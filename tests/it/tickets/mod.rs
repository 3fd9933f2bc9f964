//! Findings that become tickets: one that is open for each, here or in a tracker, as long as it is needed.

mod refusals;

use chrono::TimeDelta;
use daily_ops::{
    bot::{Bot, Round, Said},
    command::{Cli, Command},
    render::{self, terminal::Look},
    store::Filter,
    ticket::{StoredTicket, TicketStatus},
    triage::{Person, Verdict},
};

use crate::world::{
    company::{A_DAY, Company, decide, text, walk},
    sentry::broken_cart,
    trackers::github::GitHub,
};

const KEY: &str = "errors:4501";

async fn company() -> (Company, Bot) {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    (company, bot)
}

/// One that keeps its tickets in a GitHub.
async fn filing(returned: &str) -> (Company, Bot, GitHub) {
    let mut company = Company::with([broken_cart()]).await;
    let github = GitHub::new(company.now());
    company.files_at(&github, returned).await;
    let bot = company.bot().await;
    walk(&bot).await;
    (company, bot, github)
}

/// What somebody types after `daily-ops ticket`.
async fn ticket(bot: &Bot, who: &str, words: &str) -> Said {
    use clap::Parser;
    let cli = Cli::try_parse_from(["daily-ops", "ticket"].into_iter().chain(words.split(' ')))
        .expect("it is a command");
    let Command::Ticket { command, .. } = cli.command else {
        panic!("`{words}` is nothing about tickets")
    };
    let by = Person::at_terminal(who);
    bot.ticket(&command, &by).await.expect("it can be judged")
}

async fn tickets(bot: &Bot) -> Vec<StoredTicket> {
    bot.store.tickets(false).await.expect("they can be read")
}

/// The finding goes away, and is there again the day after: what the round then says in the terminal.
async fn it_comes_back(company: &Company, bot: &Bot) -> String {
    let issues = std::mem::take(&mut company.sentry.world().issues);
    company.later(A_DAY);
    walk(bot).await;
    company.sentry.world().issues = issues;
    company.later(A_DAY);
    printed(&walk(bot).await)
}

fn printed(round: &Round) -> String {
    let look = Look {
        colour: false,
        width: None,
        zone: chrono_tz::Tz::UTC,
        all: false,
    };
    render::terminal::report(&round.triaged, &round.tickets, "", look)
}

#[tokio::test]
async fn a_finding_becomes_a_ticket_that_is_listed_shown_and_closed_here() {
    let (company, bot) = company().await;
    let said = decide(&bot, "anna", &format!("ticket {KEY} --label checkout")).await;
    assert!(
        said.accepted && text(&said).contains("it is `T-1`"),
        "{}",
        text(&said)
    );
    let today = walk(&bot).await;
    assert_eq!(today.triaged.verdict(), Verdict::Ok, "somebody has it");
    let list = text(&ticket(&bot, "anna", "list").await);
    assert!(
        list.starts_with("T-1 here, open · high · errors:4501 "),
        "{list}"
    );
    for name in ["T-1", "t-1", KEY] {
        let shown = text(&ticket(&bot, "ben", &format!("show {name}")).await);
        for words in [
            "asked for by anna",
            "daily-ops, errors, checkout",
            "users in 24 h",
            "Opened by `anna`",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
    let closed = ticket(&bot, "ben", "close T-1").await;
    assert!(closed.accepted, "{}", text(&closed));
    let again = ticket(&bot, "ben", "close T-1").await;
    assert!(
        !again.accepted && text(&again).contains("closed already"),
        "{}",
        text(&again)
    );
    assert_eq!(
        text(&ticket(&bot, "anna", "list").await),
        "no ticket is open: `triage ticket KEY` opens one about a finding"
    );
    assert!(text(&ticket(&bot, "anna", "list --all").await).starts_with("T-1 here, done · "));
    let log = company.log_file();
    assert!(
        log.contains("ticket opened here") && log.contains("closed here"),
        "{log}"
    );
}

#[tokio::test]
async fn a_wrong_name_gets_the_nearest_right_one() {
    let (_company, bot) = company().await;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    let said = ticket(&bot, "anna", "show T-2").await;
    assert!(
        !said.accepted && text(&said).contains("did you mean T-1?"),
        "{}",
        text(&said)
    );
    let said = text(&ticket(&bot, "anna", "close ENG-1204").await);
    assert!(said.contains("`ticket list --all`"), "{said}");
}

#[tokio::test]
async fn of_two_who_want_a_ticket_at_once_one_opens_it_and_the_other_is_told() {
    let (_company, bot, github) = filing("reopen").await;
    let words = format!("ticket {KEY}");
    let (annas, bens) = tokio::join!(decide(&bot, "anna", &words), decide(&bot, "ben", &words));
    assert_ne!(annas.accepted, bens.accepted);
    let late = if annas.accepted { bens } else { annas };
    let said = text(&late);
    assert!(
        said.contains("its ticket is being opened in GitHub")
            || said.contains("it has the ticket acme/web#1"),
        "{said}"
    );
    let issues = github.now().issues.len();
    assert_eq!((issues, tickets(&bot).await.len()), (1, 1));
}

#[tokio::test]
async fn a_ticket_in_a_tracker_is_named_and_linked_and_its_end_there_is_seen() {
    let (company, bot, github) = filing("reopen").await;
    let said = text(&decide(&bot, "anna", &format!("ticket {KEY}")).await);
    assert!(
        said.contains("ticket acme/web#1 in GitHub: https://github.com/acme/web/issues/1"),
        "{said}"
    );
    let undone = decide(&bot, "anna", &format!("undo {KEY}")).await;
    assert!(
        !undone.accepted && text(&undone).contains("close it in GitHub first"),
        "{}",
        text(&undone)
    );
    let closed = ticket(&bot, "anna", "close acme/web#1").await;
    assert!(
        !closed.accepted && text(&closed).contains("close it there"),
        "{}",
        text(&closed)
    );

    github.now().issues[0].open = false;
    company.later(TimeDelta::hours(1));
    let round = walk(&bot).await;
    assert_eq!(tickets(&bot).await[0].state, TicketStatus::Closed);
    let report = daily_ops::render::json::report(&round.triaged, &round.tickets, &round.head);
    let report: serde_json::Value =
        serde_json::from_str(&report.expect("it can be written")).expect("it is JSON");
    let kept = &report["checks"][1]["findings"][0]["tickets"][0];
    assert_eq!(
        (&kept["name"], &kept["state"], &kept["url"]),
        (
            &"acme/web#1".into(),
            &"closed".into(),
            &"https://github.com/acme/web/issues/1".into()
        )
    );
    let log = company.log_file();
    assert!(log.contains("closed in GitHub"), "{log}");
    let filter = Filter {
        words: vec!["acme/web#1".to_owned()],
        ..Filter::newest(10)
    };
    let found = bot
        .store
        .entries(&filter)
        .await
        .expect("it can be searched");
    assert_eq!(found.len(), 2, "opened and closed: {found:?}");
    let undone = decide(&bot, "anna", &format!("undo {KEY}")).await;
    assert!(undone.accepted, "{}", text(&undone));
}

#[tokio::test]
async fn what_comes_back_opens_its_ticket_again_or_a_new_one() {
    for (returned, issues) in [("reopen", 1), ("new", 2)] {
        let (company, bot, github) = filing(returned).await;
        decide(&bot, "anna", &format!("ticket {KEY}")).await;
        github.now().issues[0].open = false;
        company.later(TimeDelta::hours(1));
        walk(&bot).await;
        let said = it_comes_back(&company, &bot).await;
        let (name, state) = match returned {
            "reopen" => ("acme/web#1", "reopened"),
            _ => ("acme/web#2", "opened"),
        };
        let named = format!("ticket {name} in GitHub, {state}: it has come back");
        assert!(
            said.contains("\nCame back\n") && said.contains(&named),
            "{said}"
        );
        company.later(A_DAY);
        let said = printed(&walk(&bot).await);
        assert!(!said.contains("Came back"), "once is enough: {said}");
        let seen = github.now();
        assert_eq!(seen.issues.len(), issues, "{returned}");
        let newest = seen.issues.last().expect("there is one");
        assert!(newest.open, "{returned}");
        let words: String = newest
            .comments
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert!(
            format!("{}{words}", newest.body).contains("It has come back"),
            "{returned}"
        );
    }
}

#[tokio::test]
async fn what_stands_after_its_ticket_was_closed_gets_it_back_and_no_tick() {
    let (company, bot) = company().await;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    ticket(&bot, "ben", "close T-1").await;
    company.later(A_DAY);
    let said = printed(&walk(&bot).await);
    assert!(
        said.contains("ticket T-1 here, reopened: it has come back"),
        "{said}"
    );
    let all = tickets(&bot).await;
    assert_eq!((all.len(), all[0].state), (1, TicketStatus::Open));
}

#[tokio::test]
async fn a_title_is_needed() {
    let (_company, bot) = company().await;
    use clap::Parser;
    let words = ["daily-ops", "triage", "ticket", KEY, "--title", "  "];
    let Command::Triage { action, .. } =
        Cli::try_parse_from(words).expect("it is a command").command
    else {
        panic!("it is triage")
    };
    let permit = daily_ops::permissions::Permit::at_terminal("anna");
    let said = bot
        .triage(&action, &permit)
        .await
        .expect("it can be judged");
    assert!(
        !said.accepted && text(&said).contains("needs a title"),
        "{}",
        text(&said)
    );
    assert!(tickets(&bot).await.is_empty());
}

#[tokio::test]
async fn whoever_is_erased_is_taken_out_of_their_tickets_as_well() {
    let (_company, bot) = company().await;
    decide(&bot, "anna", &format!("ticket {KEY} --label annas-own")).await;
    let anna = Person::at_terminal("anna");
    let entry = crate::world::records::entry(
        1,
        daily_ops::ops_log::Kind::Erased,
        "ben",
        "a person was erased",
    );
    bot.store.erase(anna, entry).await.expect("she is erased");
    let kept = tickets(&bot).await.remove(0);
    assert_eq!(
        (kept.draft.title.as_str(), kept.draft.body.as_str()),
        ("erased", "erased")
    );
    assert!(kept.draft.labels.is_empty() && kept.is_open());
    let shown = text(&ticket(&bot, "ben", "show T-1").await);
    assert!(!shown.contains("anna"), "{shown}");
}
