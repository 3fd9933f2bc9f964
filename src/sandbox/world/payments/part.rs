//! Stripe as a part of the company: its section of the configuration, and what can be wrong with it.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{
    super::{Choice, Kind, Part, State, Switch, World, choice},
    Account, Declining, KEY, Outage, Stripe, TEST_KEY, Trouble,
    background::{self, PRODUCTION},
    receiver::{Receiver, SIGNING_SECRET},
    scenarios,
};

pub(in crate::sandbox::world) const PART: Kind = Kind {
    open: |time| {
        Box::pin(async {
            let receiver = Receiver::open(time.clone()).await?;
            let stripe = background::quiet(time).open().await?;
            Ok(Box::new(Payments { stripe, receiver }) as Box<dyn Part>)
        })
    },
    scenarios: &scenarios::ALL,
};

const NAME: &str = "stripe";
const ENDPOINT: &str = "stripe/endpoint";
const CARDS: &str = "stripe/cards";

/// Stripe, and the company's own handler of its events.
pub struct Payments {
    pub stripe: Stripe,
    pub receiver: Receiver,
}

impl State for Trouble {
    const ALL: &'static [(Self, Choice)] = &[
        (Self::None, choice("well", "answers well")),
        (
            Self::Forbidden,
            choice("403", "answers 403: the key lost a permission"),
        ),
        (
            Self::Unauthorized,
            choice("401", "answers 401: the key is not known"),
        ),
        (
            Self::Limited,
            choice("429", "answers 429: too many requests"),
        ),
        (
            Self::Unavailable,
            choice("503", "answers 503: it is being maintained"),
        ),
        (Self::Slow, choice("slow", "answers slowly")),
        (
            Self::Hangs,
            choice("hangs", "takes requests and never answers"),
        ),
        (
            Self::Garbage,
            choice("garbage", "answers what is not from Stripe"),
        ),
        (Self::Refuses, choice("refuses", "refuses connections")),
    ];
}

/// How the production endpoint takes events.
#[derive(Clone, Copy, PartialEq)]
enum Delivery {
    Works,
    Fails,
    Disabled,
}

impl State for Delivery {
    const ALL: &'static [(Self, Choice)] = &[
        (Self::Works, choice("delivers", "takes every event")),
        (Self::Fails, choice("fails", "answers 500 since last night")),
        (
            Self::Disabled,
            choice("disabled", "is disabled since last night"),
        ),
    ];
}

#[derive(Clone, Copy, PartialEq)]
enum Cards {
    Normal,
    Declined,
}

impl State for Cards {
    const ALL: &'static [(Self, Choice)] = &[
        (
            Self::Normal,
            choice("normal", "are declined as seldom as ever"),
        ),
        (
            Self::Declined,
            choice("declined", "are all declined since yesterday"),
        ),
    ];
}

impl World {
    pub fn stripe(&self) -> &Stripe {
        &self.part::<Payments>().stripe
    }

    /// The company's own handler of Stripe's events.
    pub fn receiver(&self) -> &Receiver {
        &self.part::<Payments>().receiver
    }
}

/// Last night.
fn since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::hours(10)
}

impl Account {
    fn delivery(&mut self) -> Delivery {
        let endpoint = self.live.endpoint(PRODUCTION);
        let lasts = |outage: &Outage| outage.until.is_none();
        match endpoint.disabled {
            Some(_) => Delivery::Disabled,
            None if endpoint.outages.iter().any(lasts) => Delivery::Fails,
            None => Delivery::Works,
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let now = self.now();
        let endpoint = self.live.endpoint(PRODUCTION);
        endpoint.disabled = (delivery == Delivery::Disabled).then(|| since(now));
        endpoint.outages.retain(|outage| outage.until.is_some());
        if delivery == Delivery::Fails {
            endpoint.outages.push(Outage {
                from: since(now),
                until: None,
                types: Vec::new(),
            });
        }
    }

    fn cards(&self) -> Cards {
        match self.live.declining {
            Some(_) => Cards::Declined,
            None => Cards::Normal,
        }
    }
}

impl Part for Payments {
    fn configuration(&self) -> String {
        format!(
            "[checks.payments]\ntime_limit = \"1800ms\"\nurl = \"{}\"\nmode = \"live\"\n\
             [[checks.payments.replay.endpoints]]\nid = \"{PRODUCTION}\"\nurl = \"{}\"\n",
            self.stripe.url(),
            self.receiver.url(),
        )
    }

    fn secret(&self, name: &str) -> Option<String> {
        let is_test = self.stripe.world().shows_only_tests;
        match name {
            "STRIPE_API_KEY" if is_test => Some(TEST_KEY.to_owned()),
            "STRIPE_API_KEY" => Some(KEY.to_owned()),
            "STRIPE_WEBHOOK_SECRET" => Some(SIGNING_SECRET.to_owned()),
            _ => None,
        }
    }

    fn calm(&self) -> anyhow::Result<()> {
        self.stripe.suffer(Trouble::None)?;
        self.receiver.calm();
        let mut world = self.stripe.world();
        let calm = background::quiet(world.time.clone());
        *world = Account {
            // What was asked stays asked; what was done about it is of another story.
            ledger: std::mem::take(&mut world.ledger).anew(),
            ..calm
        };
        Ok(())
    }

    fn switches(&self) -> Vec<Switch> {
        let mut world = self.stripe.world();
        let named = |name: &str| name.to_owned();
        vec![
            world.trouble.switch("Stripe", named(NAME), named("Stripe")),
            world.delivery().switch(
                "Stripe",
                named(ENDPOINT),
                named("production webhook endpoint"),
            ),
            world
                .cards()
                .switch("Stripe", named(CARDS), named("customers' cards")),
        ]
    }

    fn switch(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let no_such = "Stripe has no such state";
        match name {
            ENDPOINT => {
                let delivery = Delivery::named(value).context(no_such)?;
                self.receiver.fail(delivery == Delivery::Fails);
                self.stripe.world().deliver(delivery);
            }
            CARDS => {
                let cards = Cards::named(value).context(no_such)?;
                let mut world = self.stripe.world();
                let since = world.now() - TimeDelta::hours(24);
                world.live.declining = (cards == Cards::Declined).then(|| Declining {
                    since,
                    code: "do_not_honor".to_owned(),
                });
            }
            _ => self
                .stripe
                .suffer(Trouble::named(value).context(no_such)?)?,
        }
        Ok(())
    }

    fn cut(&self, gone: bool) -> anyhow::Result<()> {
        self.stripe.door.cut(gone)?;
        self.receiver.cut(gone)
    }

    fn told(&self) -> Option<(&'static str, Value)> {
        Some((NAME, self.stripe.world().done()))
    }

    fn tell(&self, told: &Value) {
        self.stripe.world().do_again(told);
    }
}
