//! Invoices paid again, and what is said of that: typed, and in Slack.

use chrono::TimeDelta;
use chrono_tz::Tz;
use daily_ops::{
    bot::{Bot, Round},
    command::Triage,
    permissions::Permit,
    render::{self, terminal::Look},
    triage::Verdict,
};
use serde_json::json;

use crate::world::{
    company::{A_DAY, Company, decide, stdout, text, walk},
    office::Office,
    slack::web_api::{ANNA, BEN, OPS},
    stripe::{Outcome, Stripe, customer, fault, invoice, stripe_at},
};

const KEY: &str = "payments:invoice/in_1";

/// A company with one invoice that was declined three times; whether its card works now is for the test to say.
async fn unpaid(code: Option<&str>) -> (Company, Stripe) {
    let code = code.map(str::to_owned);
    charged_with(code.map_or(Outcome::Succeeds, Outcome::Declined)).await
}

/// As [`unpaid`], with what comes of charging it now.
async fn charged_with(outcome: Outcome) -> (Company, Stripe) {
    let mut company = Company::with([]).await;
    let payer = customer("cus_1").named("Beta GmbH").does(outcome);
    let owed = invoice("in_1")
        .of("cus_1")
        .eur(4_900)
        .declined("insufficient_funds")
        .attempts(3)
        .ago(TimeDelta::days(6));
    let described = stripe_at(company.time()).with(payer).with(owed);
    let stripe = described.open().await.expect("it opens");
    company.is_paid_at(&stripe);
    (company, stripe)
}

async fn looked_at(company: &Company) -> Bot {
    let bot = company.bot().await;
    let round = walk(&bot).await;
    let keys: Vec<String> = round
        .triaged
        .rows()
        .map(|row| row.finding.key.to_string())
        .collect();
    assert!(keys.iter().any(|key| key == KEY), "{keys:?}");
    bot
}

#[tokio::test]
async fn without_a_yes_it_says_what_it_would_do_and_does_nothing() {
    let (company, stripe) = unpaid(None).await;
    let bot = looked_at(&company).await;
    for words in [format!("pay {KEY}"), format!("pay {KEY} --dry-run")] {
        let said = decide(&bot, "anna", &words).await;
        assert!(!said.accepted, "{}", text(&said));
    }
    let said = text(&decide(&bot, "anna", &format!("pay {KEY}")).await);
    for line in [
        "customer: Beta GmbH",
        "49.00",
        "attempts so far: 3",
        "charges the customer",
        "add `--yes`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let said = text(&decide(&bot, "anna", &format!("pay {KEY} --dry-run")).await);
    assert!(
        said.starts_with("nothing was sent; what would be, if it were decided at this moment:")
            && said.contains("POST /v1/invoices/in_1/pay"),
        "{said}"
    );
    let key = said
        .lines()
        .find_map(|line| line.strip_prefix("idempotency-key: daily-ops-"));
    let key = key.expect("it is shown");
    assert!(
        key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "it is whole: {key}"
    );
    assert_eq!(stripe.world().ledger.taken("in_1"), 0);
    assert!(bot.store.open_effects().await.unwrap().is_empty());

    let said = decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    assert!(said.accepted, "{}", text(&said));
    assert_eq!(stripe.world().ledger.taken("in_1"), 4_900);
    let round = walk(&bot).await;
    assert_ne!(round.triaged.verdict(), Verdict::NeedsYou);
    assert!(
        company.log_file().contains("set to be paid again"),
        "{}",
        company.log_file()
    );
}

#[tokio::test]
async fn a_decline_is_said_as_what_it_is() {
    let (company, stripe) = unpaid(Some("insufficient_funds")).await;
    let bot = looked_at(&company).await;
    let said = decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    let words = text(&said);
    assert!(
        !said.accepted
            && words.contains("not paid again: ")
            && words.contains("insufficient_funds"),
        "{words}"
    );
    assert_eq!(stripe.world().ledger.taken("in_1"), 0);
    let round = walk(&bot).await;
    assert_eq!(
        round.triaged.verdict(),
        Verdict::NeedsYou,
        "it needs somebody again"
    );
}

fn printed(round: &Round) -> String {
    let look = Look {
        colour: false,
        width: None,
        zone: Tz::UTC,
        all: false,
    };
    render::terminal::report(&round.triaged, &round.tickets, "", look)
}

#[tokio::test]
async fn whoever_comes_the_morning_after_reads_in_the_row_that_it_was_declined() {
    let (company, _stripe) = unpaid(Some("insufficient_funds")).await;
    let bot = looked_at(&company).await;
    decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    let day = company
        .now()
        .format("not paid again, %a %-d %b")
        .to_string();
    decide(&bot, "anna", &format!("note {KEY} they were called")).await;
    company.later(A_DAY);
    let round = walk(&bot).await;
    let said = printed(&round);
    assert!(
        said.contains(&day) && said.contains(": declined: insufficient_funds"),
        "{day}: {said}"
    );
    let markdown = render::markdown::report(&round.triaged, &round.tickets, "", Tz::UTC, false);
    assert!(markdown.contains(&day), "{day}: {markdown}");
    let json = render::json::report(&round.triaged, &round.tickets, &round.head);
    let json: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
    let mut findings = json["checks"].as_array().unwrap().iter().flat_map(|check| {
        let findings = check["findings"].as_array();
        findings.into_iter().flatten()
    });
    let found = findings.find(|finding| finding["key"] == KEY).unwrap();
    assert_eq!(found["failed"]["verb"], "pay", "{found}");

    let said = decide(&bot, "ben", &format!("handle {KEY} they pay by transfer")).await;
    assert!(said.accepted, "{}", text(&said));
    let said = printed(&walk(&bot).await);
    assert!(!said.contains("not paid again"), "{said}");
}

#[tokio::test]
async fn what_was_taken_back_before_it_was_sent_is_no_failure() {
    let (company, stripe) = unpaid(None).await;
    let bot = asked_in_vain(&company, &stripe).await;
    let said = decide(&bot, "anna", &format!("undo {KEY}")).await;
    assert!(said.accepted, "{}", text(&said));
    let said = printed(&walk(&bot).await);
    assert!(said.contains(KEY) && !said.contains("not paid"), "{said}");
}

#[tokio::test]
async fn in_slack_the_newer_message_says_as_well_that_it_was_declined() {
    let (company, _stripe) = unpaid(Some("insufficient_funds")).await;
    let bot = looked_at(&company).await;
    decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    bot.store.close().await;
    drop(bot);
    company.later(A_DAY);
    let mut office = Office::open(company).await;
    office.types(ANNA, "daily").await;
    office.until_said("not paid again, ").await;
    let said = office.channel(OPS);
    assert!(said.contains(": declined: insufficient_funds"), "{said}");
    assert_eq!(said.matches("not paid again").count(), 1, "{said}");
    office.end().await;
}

#[tokio::test]
async fn a_payment_that_is_put_off_or_in_doubt_exits_with_2_and_says_what_was_sent() {
    let pay = format!("triage pay {KEY} --yes");
    for (fault, words) in [
        (
            fault("GET /v1/invoices/in_1").unavailable(),
            "put off, nothing was sent: ",
        ),
        (
            fault("POST /v1/invoices/in_1/pay").unavailable(),
            "not confirmed by the other side yet: ",
        ),
    ] {
        let (company, stripe) = unpaid(None).await;
        company.says("daily").await;
        stripe.world().faults.push(fault);
        let output = company.says(&pay).await;
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{words}: {said}");
    }
    let (company, _stripe) = unpaid(None).await;
    company.says("daily").await;
    let output = company.says(&pay).await;
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[tokio::test]
async fn what_ends_at_stripe_alone_is_not_resolved_but_handled() {
    let (company, _stripe) = unpaid(None).await;
    let bot = looked_at(&company).await;
    let resolve = Triage::Resolve {
        key: KEY.parse().expect("it is a key"),
        reason: None,
    };
    let refused = bot.triage(&resolve, &Permit::at_terminal("anna")).await;
    let why = format!("{:#}", refused.err().expect("it is refused"));
    assert!(
        why.contains(&format!("`triage handle {KEY} NOTE`")),
        "{why}"
    );
    let said = printed(&walk(&bot).await);
    assert!(
        said.contains("triage ack|snooze|handle|ticket KEY"),
        "{said}"
    );
    bot.store.close().await;
    drop(bot);
    let mut office = Office::open(company).await;
    office.types(ANNA, &format!("triage resolve {KEY}")).await;
    office.until_told("can't be resolved from here").await;
    office.end().await;
}

#[tokio::test]
async fn what_was_handled_stays_so_with_its_note() {
    let (company, _stripe) = unpaid(None).await;
    let bot = looked_at(&company).await;
    let said = decide(&bot, "anna", &format!("handle {KEY} they pay by transfer")).await;
    assert!(said.accepted, "{}", text(&said));
    let round = walk(&bot).await;
    assert!(
        round
            .triaged
            .needs_you
            .iter()
            .all(|row| row.finding.key.to_string() != KEY)
    );
    let log = company.log_file();
    assert!(
        log.contains("handled") && log.contains("they pay by transfer"),
        "{log}"
    );
}

#[tokio::test]
async fn in_slack_a_person_reads_what_will_be_done_and_whose_money_it_is() {
    let (company, stripe) = unpaid(None).await;
    let mut office = Office::closed(company).await;
    office.more = format!("money = [\"{ANNA}\"]\n");
    office.begin().await;
    office.types(ANNA, "daily").await;
    office.until_said("[Pay again…]").await;
    assert!(office.channel(OPS).contains("[Handled…]"));

    office.click(BEN, "open.pay").await;
    office
        .until("ben reads why not", async || {
            office.view().contains("not permitted to do that")
        })
        .await;

    office.click(ANNA, "open.pay").await;
    office
        .until("what will be done is there", async || {
            office.view().contains("Beta GmbH")
        })
        .await;
    let view = office.view();
    for words in ["49.00", "attempts so far: 3", "This charges the customer"] {
        assert!(view.contains(words), "{words}: {view}");
    }
    let answer = json!({ "type": "plain_text_input", "value": "" });
    assert_eq!(office.fills_in(ANNA, "open.pay", answer).await.body, "");
    office.until_said("Set to be paid again by <@U0ANNA>").await;
    office.until_said("white_check_mark").await;
    assert_eq!(stripe.world().ledger.taken("in_1"), 4_900);
    office.end().await;
    let log = office.company.log_file();
    assert!(log.contains("not allowed: pay of `payments:"), "{log}");
}

/// The key is refused for now, so that nothing can be sent.
async fn asked_in_vain(company: &Company, stripe: &Stripe) -> Bot {
    let bot = looked_at(company).await;
    let refused = fault("GET /v1/invoices/in_1").unauthorized();
    stripe.world().faults.push(refused);
    decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    assert_eq!(stripe.world().ledger.taken("in_1"), 0);
    stripe.world().faults.clear();
    bot
}

#[tokio::test]
async fn whoever_deals_with_it_otherwise_stops_a_payment_that_was_not_sent() {
    for instead in [
        format!("handle {KEY} they pay by transfer"),
        format!("snooze {KEY} 3d"),
        format!("ticket {KEY}"),
    ] {
        let (company, stripe) = unpaid(None).await;
        let bot = asked_in_vain(&company, &stripe).await;
        let said = decide(&bot, "ben", &instead).await;
        assert!(said.accepted, "{instead}: {}", text(&said));
        company.later(TimeDelta::hours(1));
        walk(&bot).await;
        assert_eq!(stripe.world().ledger.taken("in_1"), 0, "{instead}");
        assert!(bot.store.open_effects().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_payment_that_was_made_is_not_taken_back_by_an_undo() {
    let (company, stripe) = unpaid(None).await;
    let bot = looked_at(&company).await;
    decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    assert_eq!(stripe.world().ledger.taken("in_1"), 4_900);
    let said = decide(&bot, "ben", &format!("undo {KEY}")).await;
    assert!(
        !said.accepted && text(&said).contains("refunded in Stripe"),
        "{}",
        text(&said)
    );
}

/// Asked for, of a bank that answers so after three days.
async fn asked_for(answer: Outcome) -> (Company, Stripe, Bot) {
    let outcome = Outcome::debited(TimeDelta::days(3), answer);
    let (company, stripe) = charged_with(outcome).await;
    let bot = looked_at(&company).await;
    let said = decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    assert!(
        said.accepted && !said.settled && text(&said).contains("the bank has not answered yet"),
        "{}",
        text(&said)
    );
    (company, stripe, bot)
}

fn needs_somebody(round: &Round) -> bool {
    let mut rows = round.triaged.needs_you.iter();
    rows.any(|row| row.finding.key.to_string() == KEY)
}

#[tokio::test]
async fn what_the_bank_has_still_to_answer_is_not_called_paid() {
    let (company, stripe, bot) = asked_for(Outcome::Succeeds).await;
    let said = decide(&bot, "ben", &format!("undo {KEY}")).await;
    assert!(
        !said.accepted && text(&said).contains("can't be told to stop from here"),
        "{}",
        text(&said)
    );
    company.later(A_DAY);
    let round = walk(&bot).await;
    assert!(needs_somebody(&round) && round.triaged.gone.is_empty());
    let said = printed(&round);
    assert!(
        said.contains("not done yet, as far as is known: "),
        "{said}"
    );
    assert_eq!(stripe.world().ledger.charged.len(), 1);

    bot.store.close().await;
    drop(bot);
    let mut office = Office::open(company).await;
    office.types(ANNA, "daily").await;
    office.until_said("the bank has not answered yet").await;
    let said = office.channel(OPS);
    assert!(!said.contains("white_check_mark"), "{said}");
    office.end().await;
}

#[tokio::test]
async fn what_the_bank_paid_after_days_is_gone_then() {
    let (company, _stripe, bot) = asked_for(Outcome::Succeeds).await;
    company.later(A_DAY);
    assert!(needs_somebody(&walk(&bot).await));
    company.later(A_DAY * 3);
    let round = walk(&bot).await;
    let gone: Vec<String> = round
        .triaged
        .gone
        .iter()
        .map(|gone| gone.known.finding.key.to_string())
        .collect();
    assert!(
        !needs_somebody(&round) && gone.contains(&KEY.to_owned()),
        "{gone:?}"
    );
}

#[tokio::test]
async fn what_the_bank_returned_after_days_says_why_and_can_be_asked_for_again() {
    let returned = Outcome::Declined("do_not_honor".to_owned());
    let (company, stripe, bot) = asked_for(returned).await;
    company.later(A_DAY * 4);
    let round = walk(&bot).await;
    assert!(needs_somebody(&round));
    let said = printed(&round);
    assert!(said.contains("do not honor"), "{said}");
    let said = decide(&bot, "anna", &format!("pay {KEY} --yes")).await;
    assert!(said.accepted, "{}", text(&said));
    assert_eq!(stripe.world().ledger.charged.len(), 2);
}
