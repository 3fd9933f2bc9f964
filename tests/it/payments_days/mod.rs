//! Payments' findings from one day to the next: what nobody has dealt with leaves no report, however old it grows.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    bot::{Bot, Round},
    triage::{Person, Row},
};

use crate::world::{
    company::{Company, decide, text, walk},
    stripe::{Account, Stripe, stripe_at},
};

mod audit;
mod declines;
mod events;
mod invoices;
mod laws;
mod standing;

const DAY: TimeDelta = TimeDelta::days(1);
const HOUR: TimeDelta = TimeDelta::hours(1);

/// A company whose bot walks round as the days go by.
struct Days {
    company: Company,
    stripe: Stripe,
    bot: Bot,
}

impl Days {
    async fn of(describe: impl FnOnce(Account) -> Account) -> Self {
        Self::with("", describe).await
    }

    /// With more in `[checks.payments]`.
    async fn with(toml: &str, describe: impl FnOnce(Account) -> Account) -> Self {
        let mut company = Company::with([]).await;
        let described = describe(stripe_at(company.time()));
        let stripe = described.open().await.expect("it opens");
        company.is_paid_at(&stripe);
        company.more += toml;
        Self {
            bot: company.bot().await,
            company,
            stripe,
        }
    }

    /// Its configuration from these words on is another one, and the bot begins anew.
    async fn reconfigured(self, from: &str, to: &str) -> Self {
        let Self {
            mut company,
            stripe,
            bot,
        } = self;
        bot.store.close().await;
        let (before, _) = company.more.split_once(from).expect("it is there");
        company.more = format!("{before}{to}");
        Self {
            bot: company.bot().await,
            company,
            stripe,
        }
    }

    async fn now(&self) -> Morning {
        Morning(walk(&self.bot).await)
    }

    async fn after(&self, time: TimeDelta) -> Morning {
        self.company.later(time);
        self.now().await
    }

    /// Looks only for what came since then.
    async fn glance(&self, since: DateTime<Utc>) -> Morning {
        let only = ["payments".to_owned()];
        let progress = self.bot.checklist.progress(Some(&only));
        let by = Person::at_terminal("anna");
        let round = self.bot.glance(&only, since, &progress, &by, |_| {});
        Morning(round.await.expect("the round is recorded"))
    }

    async fn somebody(&self, words: &str) {
        let said = decide(&self.bot, "anna", words).await;
        assert!(said.accepted, "{words}: {}", text(&said));
    }
}

/// What a round said.
struct Morning(Round);

impl Morning {
    fn needs_you(&self) -> Vec<String> {
        keys(&self.0.triaged.needs_you)
    }

    fn snoozed(&self) -> Vec<String> {
        keys(&self.0.triaged.snoozed)
    }

    /// Everything that it shows in whatever place.
    fn shown(&self) -> Vec<String> {
        keys(self.0.triaged.rows())
    }

    fn gone(&self) -> Vec<String> {
        let gone = self.0.triaged.gone.iter();
        gone.map(|gone| gone.known.finding.key.to_string())
            .filter(|key| key.starts_with("payments:"))
            .collect()
    }

    #[track_caller]
    fn row(&self, key: &str) -> &Row {
        let mut rows = self.0.triaged.rows();
        rows.find(|row| row.finding.key.to_string() == key)
            .unwrap_or_else(|| panic!("no {key} in {:?}", self.shown()))
    }

    /// Whether it is shown as it stood when it was seen last, because it is too old.
    fn is_aged(&self, key: &str) -> bool {
        self.row(key).as_of.is_some_and(|as_of| as_of.is_aged)
    }

    fn reasons(&self) -> Vec<&str> {
        let unknown = self.0.triaged.unknown.iter();
        unknown
            .flat_map(|blind| &blind.reasons)
            .map(|why| why.reason.as_str())
            .collect()
    }
}

fn keys<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<String> {
    rows.into_iter()
        .map(|row| row.finding.key.to_string())
        .filter(|key| key.starts_with("payments:"))
        .collect()
}
