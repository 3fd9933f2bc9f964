//! A described Stripe account: its customers, invoices, payments, events and endpoints, and keys with permissions.
//!
//! Every answer derives from the description, and what happens to an object follows from the time: an invoice knows its
//! attempts, those to come as well, and its charges and events are read off them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::Door;
use crate::sandbox::time::Time;

mod admission;
mod answers;
mod attempt;
mod background;
mod books;
mod changes;
mod course;
mod customer;
mod dispute;
mod endpoint;
mod event;
mod expand;
mod faults;
mod idempotency;
mod invoice;
mod kept;
mod keys;
mod ledger;
mod lists;
mod part;
mod payment;
mod read_invoices;
mod reads;
mod receiver;
mod refusal;
mod request;
mod routes;
mod said;
mod scenarios;
mod shapes;

pub use attempt::{Attempt, Declining, Outcome};
pub use background::PRODUCTION;
pub use books::{Balance, Books, Described, balance};
pub use customer::{Card, Customer, customer};
pub use dispute::{Dispute, Payout, dispute, payout};
pub use endpoint::{Endpoint, Outage, endpoint};
pub use event::{Event, event, undelivered};
pub use faults::{Fault, fault};
pub use invoice::{Collection, End, Invoice, invoice};
pub use keys::{KEY, Key, Permission, TEST_KEY, Wording};
pub use ledger::{Charged, Ledger, Mailed, Resent};
pub(super) use part::PART;
pub use part::Payments;
pub use payment::{Payment, payment};
pub use receiver::{Arrival, Handler, Receiver, SIGNING_SECRET};
pub use request::Request;

use idempotency::Keys;
use payment::Charge;

/// The version in which objects are shown, unless an older one is asked for.
pub const VERSION: &str = "2026-10-28.endive";

/// What Stripe as a whole suffers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The key lost the permission by which events are read.
    Forbidden,
    Unauthorized,
    Limited,
    Unavailable,
    Slow,
    Hangs,
    /// Something in between answers in its place.
    Garbage,
    Refuses,
}

/// What happens right after requests with these words in their line were answered.
struct Meanwhile {
    words: Vec<String>,
    /// Answers that come before it.
    passed: usize,
    happens: Box<dyn FnOnce(&mut Account) + Send>,
}

/// The description. A test changes it at any time.
pub struct Account {
    pub time: Time,
    pub id: String,
    pub keys: Vec<Key>,
    pub live: Books,
    pub test: Books,
    /// Of accounts that are connected to this one, in live mode.
    pub connected: BTreeMap<String, Books>,
    /// Of whoever asks for none: the one with which the account was made.
    pub version: String,
    /// In which a missing permission is told.
    pub words: Wording,
    /// Whoever asks, with whatever key, is asked to the books of the test mode.
    pub shows_only_tests: bool,
    /// Whether the undocumented route is there by which events are sent again.
    pub allows_retry: bool,
    pub trouble: Trouble,
    pub faults: Vec<Fault>,
    /// How far its clock is ahead.
    pub clock: TimeDelta,
    pub ledger: Ledger,
    meanwhile: Vec<Meanwhile>,
    keys_used: Keys,
}

/// With nothing in its books, and both of [`KEY`] and [`TEST_KEY`].
pub fn account(time: Time) -> Account {
    Account {
        time,
        id: "acct_1AcmeDailyOps".to_owned(),
        keys: vec![Key::restricted(KEY), Key::restricted(TEST_KEY)],
        live: Books::new(true),
        test: Books::new(false),
        connected: BTreeMap::new(),
        version: "2023-10-16".to_owned(),
        words: Wording::Having,
        shows_only_tests: false,
        allows_retry: false,
        trouble: Trouble::None,
        faults: Vec::new(),
        clock: TimeDelta::zero(),
        ledger: Ledger::default(),
        meanwhile: Vec::new(),
        keys_used: Keys::default(),
    }
}

impl Account {
    pub fn now(&self) -> DateTime<Utc> {
        self.time.now()
    }

    /// As its answers say: clients compare it with the real clock of their machine.
    fn date(&self) -> DateTime<Utc> {
        Time::real().now() + self.clock
    }

    /// Adds it to the live books; its times count from now.
    pub fn add(&mut self, described: impl Described) {
        let now = self.now();
        described.enter(&mut self.live, now);
    }

    /// Adds all of them.
    pub fn add_all<D: Described>(&mut self, described: impl IntoIterator<Item = D>) {
        described.into_iter().for_each(|one| self.add(one));
    }

    #[must_use]
    pub fn with(mut self, described: impl Described) -> Self {
        self.add(described);
        self
    }

    #[must_use]
    pub fn with_all<D: Described>(mut self, described: impl IntoIterator<Item = D>) -> Self {
        self.add_all(described);
        self
    }

    /// Adds it to the books of a connected account, which is made if there is none.
    pub fn connect(&mut self, account: &str, described: impl Described) {
        let now = self.now();
        let books = self.connected.entry(account.to_owned());
        described.enter(books.or_insert_with(|| Books::new(true)), now);
    }

    #[must_use]
    pub fn failing(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The key of that secret.
    pub fn key(&mut self, secret: &str) -> &mut Key {
        let mut keys = self.keys.iter_mut();
        keys.find(|key| key.secret == secret)
            .expect("the key is described")
    }

    /// Charges that were declined since then.
    pub fn failed_since(&self, since: DateTime<Utc>) -> usize {
        let charges = self.live.charges_at(self.now());
        let failed = charges
            .iter()
            .filter(|charge| charge.at > since && matches!(charge.outcome, Outcome::Declined(_)));
        failed.count()
    }

    /// Happens once, right after the request with these words in its line that comes after so many others like it.
    pub fn after(
        &mut self,
        words: &str,
        passed: usize,
        happens: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        self.meanwhile.push(Meanwhile {
            words: words.split_whitespace().map(str::to_owned).collect(),
            passed,
            happens: Box::new(happens),
        });
    }

    fn meanwhile(&mut self, request: &Request) {
        let line = request.line();
        let mut due = Vec::new();
        for mut meanwhile in std::mem::take(&mut self.meanwhile) {
            let is_meant = meanwhile
                .words
                .iter()
                .all(|word| line.contains(word.as_str()));
            match meanwhile.passed {
                0 if is_meant => due.push(meanwhile.happens),
                passed => {
                    meanwhile.passed = passed - usize::from(is_meant && passed > 0);
                    self.meanwhile.push(meanwhile);
                }
            }
        }
        due.into_iter().for_each(|happens| happens(self));
    }

    /// Puts it on a loopback address.
    pub async fn open(self) -> anyhow::Result<Stripe> {
        let world = Arc::new(Mutex::new(self));
        let routes = axum::Router::new()
            .fallback(answers::answer)
            .with_state(Arc::clone(&world));
        let door = Door::open(routes).await?;
        Ok(Stripe {
            address: door.address,
            world,
            door,
        })
    }
}

/// An account that can be asked; it closes when it is dropped.
pub struct Stripe {
    pub address: SocketAddr,
    world: Arc<Mutex<Account>>,
    door: Door,
}

impl Stripe {
    pub fn url(&self) -> Url {
        format!("http://{}", self.address)
            .parse()
            .expect("it is an address")
    }

    pub fn world(&self) -> MutexGuard<'_, Account> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on.
    pub fn suffer(&self, trouble: Trouble) -> anyhow::Result<()> {
        self.world().trouble = trouble;
        self.door.shut(trouble == Trouble::Refuses)
    }
}
