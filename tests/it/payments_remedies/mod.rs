//! What people have done about payments' findings, at a described Stripe: never twice, and never said without being so.

mod laws;
mod paying;
mod proofs;
mod refusals;
mod replaying;
mod resending;
mod sending;

use std::{sync::Arc, time::Duration};

use daily_ops::{
    checks::{
        Applied, Check, Looking, NotApplied, Order, Progress,
        payments::{Payments, SECRET},
    },
    sandbox::time::Time,
    store::idempotency_key,
    triage::Person,
};
use tokio::time::Instant;

use crate::world::stripe::{Account, KEY, Receiver, SIGNING_SECRET, Stripe};

/// A described Stripe, and the check that asks it.
pub(crate) struct Desk {
    pub(crate) stripe: Stripe,
    pub(crate) section: Payments,
    pub(crate) time: Time,
    key: String,
    signing_secret: String,
}

impl Desk {
    pub(crate) async fn before(account: Account) -> Self {
        Self::with("", account).await
    }

    /// With that section of the configuration.
    pub(crate) async fn with(toml: &str, account: Account) -> Self {
        let time = account.time.clone();
        let stripe = account.open().await.expect("it opens");
        let mut section: Payments = toml::from_str(toml).unwrap();
        section.url = stripe.url();
        section.settings.first_wait = Duration::from_millis(1);
        section.settings.request = Duration::from_secs(3);
        section.validate().unwrap();
        Self {
            stripe,
            section,
            time,
            key: KEY.to_owned(),
            signing_secret: SIGNING_SECRET.to_owned(),
        }
    }

    /// With our own handler of what `we_1` gets.
    pub(crate) async fn with_handler(account: Account) -> (Self, Receiver) {
        let time = account.time.clone();
        let receiver = Receiver::open(time).await.expect("it opens");
        let toml = format!(
            "replay.endpoints = [{{ id = 'we_1', url = '{}' }}]",
            receiver.url()
        );
        (Self::with(&toml, account).await, receiver)
    }

    fn looking(&self) -> Looking {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let secrets = [
            ("STRIPE_API_KEY".to_owned(), self.key.clone().into()),
            (SECRET.0.to_owned(), self.signing_secret.clone().into()),
        ];
        Looking {
            deadline: Instant::now() + Duration::from_secs(10),
            clock: self.time.clock(),
            progress: Progress::default(),
            baselines: Default::default(),
            since: None,
            earlier: Arc::default(),
            secrets: Arc::new(secrets.into_iter().collect()),
        }
    }

    /// Somebody decides: an order with a name of its own.
    pub(crate) fn click(&self, verb: &str, key: &str, argument: Option<&str>) -> Click<'_> {
        let at = self.time.now();
        let place = self.stripe.world().ledger.requests.len();
        let order = Order::new(&key.parse().unwrap(), verb, &Person::at_terminal("anna"));
        let version = i64::try_from(place).unwrap();
        Click {
            desk: self,
            order: Order {
                argument: argument.map(str::to_owned),
                at,
                idempotency_key: idempotency_key(&order, version, at),
                ..order
            },
            is_sent: false,
        }
    }

    pub(crate) fn pay(&self, invoice: &str, amount: &str) -> Click<'_> {
        self.click("pay", &format!("payments:invoice/{invoice}"), Some(amount))
    }

    /// How often a card was asked for money for that invoice.
    pub(crate) fn charges(&self, invoice: &str) -> usize {
        let account = self.stripe.world();
        let charged = account.ledger.charged.iter();
        charged.filter(|it| it.invoice == invoice).count()
    }

    pub(crate) fn taken(&self, invoice: &str) -> i64 {
        self.stripe.world().ledger.taken(invoice)
    }

    /// Requests with these words.
    pub(crate) fn asked(&self, words: &[&str]) -> usize {
        self.stripe.world().ledger.asked(words)
    }
}

/// One decision, which is carried out as the outbox does it.
pub(crate) struct Click<'a> {
    desk: &'a Desk,
    pub(crate) order: Order,
    is_sent: bool,
}

impl Click<'_> {
    /// One attempt. What was there before is read and kept until something may have been sent.
    pub(crate) async fn attempt(&mut self) -> Result<Applied, NotApplied> {
        let section = &self.desk.section;
        if !self.is_sent {
            match section.before(&self.order, &self.desk.looking()).await {
                Ok(before) => self.order.before = before,
                Err(NotApplied::OutcomeUnknown(why)) => return Err(NotApplied::NotSent(why)),
                Err(not) => return Err(not),
            }
            self.is_sent = true;
        }
        section.apply(&self.order, &self.desk.looking()).await
    }

    pub(crate) async fn rehearse(&self) -> Vec<String> {
        let lines = self
            .desk
            .section
            .rehearse(&self.order, &self.desk.looking())
            .await;
        let lines = lines.expect("it can be told");
        lines.iter().map(|line| line.as_str().to_owned()).collect()
    }
}

#[track_caller]
pub(crate) fn done(result: Result<Applied, NotApplied>) -> String {
    match result {
        Ok(Applied::Done { said, .. }) => said.as_str().to_owned(),
        other => panic!("not done: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn overtaken(result: Result<Applied, NotApplied>) -> String {
    match result {
        Ok(Applied::Overtaken { said }) => said.as_str().to_owned(),
        other => panic!("not overtaken: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(result: Result<Applied, NotApplied>) -> String {
    match result {
        Err(NotApplied::Refused(why)) => why.as_str().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn not_sent(result: Result<Applied, NotApplied>) -> String {
    match result {
        Err(NotApplied::NotSent(why)) => why.why.reason.as_str().to_owned(),
        other => panic!("not unsent: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn unknown(result: Result<Applied, NotApplied>) -> String {
    match result {
        Err(NotApplied::OutcomeUnknown(why)) => why.why.reason.as_str().to_owned(),
        other => panic!("not unknown: {other:?}"),
    }
}
