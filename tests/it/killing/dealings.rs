//! A described GitHub and a described Stripe beside the company, and what has to be true of them: one issue for each
//! finding that got a ticket, and each invoice charged as often as somebody said yes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Utc};

use super::{
    judge::{Findings, alerts, decided},
    options::Dice,
    requests::{Request, Wish},
    site::Site,
    upstream::{Faults, Faulty},
};
use crate::world::{
    stripe::{self, Outcome, Stripe, customer, invoice},
    trackers::github::GitHub,
};

/// Sentry's issues that are to become GitHub's.
pub(super) const TICKETED: std::ops::Range<u64> = 6000..6060;

/// Invoices that are to be paid again.
const INVOICES: u64 = 60;

pub(super) struct Dealings {
    pub(super) github: GitHub,
    pub(super) stripe: Stripe,
    pub(super) to_github: Faulty,
    pub(super) to_stripe: Faulty,
    faults: Faults,
}

/// The cards of odd ones are declined.
fn key_of(invoice: u64) -> String {
    format!("payments:invoice/in_{invoice}")
}

impl Dealings {
    pub(super) async fn open(faults: Faults, seed: u64) -> Self {
        let mut account = stripe::stripe_at(daily_ops::sandbox::time::Time::real());
        for number in 0..INVOICES {
            let payer = customer(&format!("cus_{number}"));
            account.add(match number % 2 {
                0 => payer,
                _ => payer.declines("insufficient_funds"),
            });
            let owed = invoice(&format!("in_{number}")).of(&format!("cus_{number}"));
            let owed = owed.eur(4_900).declined("insufficient_funds").attempts(3);
            account.add(owed.ago(TimeDelta::days(6)));
        }
        let stripe = account.open().await.expect("it opens");
        let github = GitHub::new(now());
        let at = github.serve().await;
        let to_github = Faulty::before(at, seed ^ 3, |_| true).await;
        let to_stripe = Faulty::before(stripe.address, seed ^ 4, |line| {
            line.contains("/v1/invoices/") || line.contains("/v1/charges?payment_intent")
        });
        Self {
            github,
            stripe,
            to_github,
            to_stripe: to_stripe.await,
            faults,
        }
    }

    pub(super) fn configuration(&self) -> String {
        format!(
            "[checks.payments]\nurl = \"http://{}\"\nlimits = {{ invoices = 100 }}\n\
             [tickets]\ntracker = \"github\"\n[tickets.github]\nrepository = \"acme/web\"\nurl = \"http://{}\"\n",
            self.to_stripe.address, self.to_github.address
        )
    }

    pub(super) fn spoil(&self) {
        self.to_github.set(self.faults);
        self.to_stripe.set(self.faults);
    }

    /// What they hide stays hidden.
    pub(super) fn calm(&self) {
        let calm = Faults {
            late: 0,
            refused: 0,
            doubtful: 0,
            lost: 0,
            ..self.faults
        };
        self.to_github.set(calm);
        self.to_stripe.set(calm);
    }

    /// Requests to either that were spoilt.
    pub(super) fn struck(&self) -> usize {
        self.to_github.struck() + self.to_stripe.struck()
    }

    /// Returns once all that was taken in has been carried out; GitHub's clock follows.
    pub(super) async fn is_idle(&self) {
        self.to_github.is_idle().await;
        self.to_stripe.is_idle().await;
        self.github.now().now = now();
    }

    /// Somebody wants a ticket or money, as somebody else may have before.
    pub(super) fn think(dice: &mut Dice, command: impl Fn(Wish, &str) -> Request) -> Request {
        if dice.below(2) == 0 {
            let issue = dice.between(TICKETED.start, TICKETED.end - 1);
            let (key, verb) = (format!("errors:{issue}"), "ticket");
            let text = format!("triage ticket {key}");
            command(Wish::Shared { key, verb }, &text)
        } else {
            let (key, verb) = (key_of(dice.below(INVOICES)), "remedy");
            let text = format!("triage pay {key} --yes");
            command(Wish::Shared { key, verb }, &text)
        }
    }
}

fn now() -> chrono::DateTime<Utc> {
    daily_ops::sandbox::time::Time::real().now()
}

/// What is wrong with the tickets, the payments and what was accepted of both.
pub(super) async fn dealings(site: &Site, requests: &[Request], found: &mut Findings) {
    let Some(dealings) = &site.dealings else {
        return;
    };
    let mut done: BTreeMap<(String, String), usize> = BTreeMap::new();
    for decision in decided(site).await {
        *done.entry((decision.key, decision.verb)).or_default() += 1;
    }
    let alerts = alerts(site).await;
    for request in requests.iter().filter(|request| request.acked) {
        let Wish::Shared { key, verb } = &request.wish else {
            continue;
        };
        if done.contains_key(&(key.clone(), (*verb).to_owned())) {
            continue;
        }
        if alerts.contains(&request.user) {
            found.given_up += 1;
        } else {
            found.wrong.push(format!("lost: {request:?}"));
        }
    }
    let rows = site
        .tables
        .rows("SELECT effect_key FROM effects WHERE state = 'needs_human'")
        .await;
    let given_up: Vec<String> = rows.concat();
    tickets(site, dealings, &given_up, found).await;
    payments(dealings, &done, &given_up, found);
}

/// Each ticket stands in GitHub once, and nothing else does.
async fn tickets(site: &Site, dealings: &Dealings, given_up: &[String], found: &mut Findings) {
    let rows = site
        .tables
        .rows("SELECT key, marker, state FROM tickets ORDER BY number")
        .await;
    let issues = dealings.github.now().issues.clone();
    found.tickets = rows.len();
    let mut keys = BTreeSet::new();
    let mut seen = 0;
    for row in &rows {
        let issues = issues.iter().filter(|issue| issue.body.contains(&row[1]));
        let times = issues.count();
        seen += times;
        let is_given_up = given_up.iter().any(|it| it.contains(row[0].as_str()));
        if times > 1 || !is_given_up && (times == 0 || row[2] != "open") {
            found
                .wrong
                .push(format!("the ticket {row:?} has {times} issues"));
        }
        if !keys.insert(&row[0]) {
            found.wrong.push(format!("{} has two tickets", row[0]));
        }
    }
    if seen != issues.len() {
        let wrong = format!("{} issues, and {seen} of tickets", issues.len());
        found.wrong.push(wrong);
    }
}

/// A charge for each yes at most, and one for the only one.
fn payments(
    dealings: &Dealings,
    done: &BTreeMap<(String, String), usize>,
    given_up: &[String],
    found: &mut Findings,
) {
    let world = dealings.stripe.world();
    for number in 0..INVOICES {
        let (id, key) = (format!("in_{number}"), key_of(number));
        let charges = world.ledger.charged.iter().filter(|it| it.invoice == id);
        let charges: Vec<_> = charges.map(|it| &it.outcome).collect();
        let wanted = done.get(&(key.clone(), "remedy".to_owned()));
        let wanted = wanted.copied().unwrap_or(0);
        found.charges += charges.len();
        let is_given_up = given_up.iter().any(|it| it.contains(&format!("{key}:")));
        let least = usize::from(wanted > 0 && !is_given_up);
        if !(least..=wanted).contains(&charges.len()) {
            let wrong = format!("{key} was charged {} times for {wanted} yes", charges.len());
            found.wrong.push(wrong);
        }
        let paid = charges.iter().filter(|it| ***it == Outcome::Succeeds);
        let (paid, taken) = (paid.count(), world.ledger.taken(&id));
        if paid > 1 || number % 2 == 0 && paid != charges.len() || taken != 4_900 * paid as i64 {
            let wrong = format!("{key} was paid {paid} times: {taken} by {charges:?}");
            found.wrong.push(wrong);
        }
    }
}
