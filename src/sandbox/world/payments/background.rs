//! The company's Stripe on a quiet morning: subscriptions that are paid, a shop with its usual few declines, and a
//! dispute that was answered long ago.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};

use super::{
    Account, Attempt, Card, Collection, Customer, Dispute, End, Invoice, Outcome, Payment, Payout,
    account, balance, customer, dispute, endpoint, invoice, payment, payout, shapes::minted,
};
use crate::sandbox::time::Time;

/// The endpoint behind which the company's own handler is.
pub const PRODUCTION: &str = "we_1QkAcmeProduction";

/// What the company's own handler wants to know.
const TYPES: [&str; 7] = [
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "charge.dispute.created",
];

/// How far the story is told on both sides of its beginning, in days.
const BEFORE: i64 = 31;
const AFTER: i64 = 31;

/// Pays a subscription on a day of the month.
struct Subscriber {
    id: &'static str,
    name: &'static str,
    email: &'static str,
    /// In minor units.
    amount: i64,
    currency: &'static str,
    day: u32,
    last4: &'static str,
}

const SUBSCRIBERS: [Subscriber; 9] = [
    subscriber(
        "cus_Morgenrot",
        "Café Morgenrot",
        "kasse@morgenrot.example",
        (4_900, "eur"),
        3,
        "4242",
    ),
    subscriber(
        "cus_Velowerk",
        "Velowerk Basel AG",
        "office@velowerk.example",
        (7_900, "chf"),
        6,
        "0341",
    ),
    subscriber(
        "cus_Hallam",
        "Hallam & Sons Ltd",
        "accounts@hallam.example",
        (3_900, "gbp"),
        9,
        "5556",
    ),
    subscriber(
        "cus_Tanuki",
        "株式会社たぬき",
        "keiri@tanuki.example",
        (9_800, "jpy"),
        12,
        "0005",
    ),
    subscriber(
        "cus_Brightside",
        "Brightside Dental",
        "billing@brightside.example",
        (12_900, "usd"),
        15,
        "1881",
    ),
    subscriber(
        "cus_Dhow",
        "Dhow Trading W.L.L.",
        "finance@dhow.example",
        (24_500, "kwd"),
        18,
        "9424",
    ),
    subscriber(
        "cus_Lindqvist",
        "Lindqvist Bygg AB",
        "faktura@lindqvist.example",
        (59_000, "sek"),
        21,
        "3220",
    ),
    subscriber(
        "cus_Panadera",
        "La Panadera SL",
        "hola@panadera.example",
        (4_900, "eur"),
        24,
        "4444",
    ),
    subscriber(
        "cus_Kowalski",
        "Kowalski Druk",
        "biuro@kowalski.example",
        (21_900, "pln"),
        27,
        "1117",
    ),
];

/// Whoever pays by bank transfer, after an e-mail.
const BY_MAIL: Subscriber = subscriber(
    "cus_Nordlicht",
    "Nordlicht Energie eG",
    "rechnung@nordlicht.example",
    (189_000, "eur"),
    2,
    "0000",
);

const fn subscriber(
    id: &'static str,
    name: &'static str,
    email: &'static str,
    (amount, currency): (i64, &'static str),
    day: u32,
    last4: &'static str,
) -> Subscriber {
    Subscriber {
        id,
        name,
        email,
        amount,
        currency,
        day,
        last4,
    }
}

/// Cards that are declined in the shop each day, at that hour and minute.
const DECLINED: [(i64, i64, &str); 2] =
    [(11, 10, "insufficient_funds"), (16, 40, "generic_decline")];

/// As well, on the last day before the weekend.
const DECLINED_ON_FRIDAY: (i64, i64, &str) = (19, 25, "insufficient_funds");

pub(super) fn quiet(time: Time) -> Account {
    let mut account = account(time)
        .with(endpoint(PRODUCTION, "https://api.acme.example/webhooks/stripe").of_types(&TYPES))
        .with(
            endpoint("we_1QkAcmeLedger", "https://ledger.acme.example/stripe").of_types(&[
                "charge.succeeded",
                "payout.paid",
                "payout.failed",
            ]),
        )
        .with(balance("eur", 412_045, 96_310))
        .with(balance("usd", 51_600, 12_900))
        .with(balance("jpy", 88_200, 0));
    for told in SUBSCRIBERS.iter().chain([&BY_MAIL]) {
        account.add(known(told));
    }
    let now = account.now();
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    for place in -BEFORE..=AFTER {
        a_day(&mut account, midnight + TimeDelta::days(place));
    }
    account.live.disputes.push(answered(now));
    account
}

fn known(told: &Subscriber) -> Customer {
    let works = Card {
        brand: "visa",
        last4: told.last4.to_owned(),
        outcome: Outcome::Succeeds,
    };
    Customer {
        currency: told.currency.to_owned(),
        card: Some(works),
        ..customer(told.id).named(told.name).mail(told.email)
    }
}

fn a_day(account: &mut Account, midnight: DateTime<Utc>) {
    let books = &mut account.live;
    for told in SUBSCRIBERS.iter().filter(|told| told.day == midnight.day()) {
        books.invoices.push(by_card(told, midnight));
    }
    if BY_MAIL.day == midnight.day() {
        books.invoices.push(by_mail(&BY_MAIL, midnight));
    }
    books.payments.extend(in_the_shop(midnight));
    if midnight.weekday() == Weekday::Tue {
        books.payouts.push(a_payout(midnight));
    }
}

/// Made at five, finalised and paid at six.
fn by_card(told: &Subscriber, midnight: DateTime<Utc>) -> Invoice {
    let created = midnight + TimeDelta::hours(5);
    let finalized = created + TimeDelta::hours(1);
    let seed = format!("{} {}", told.id, midnight.date_naive());
    Invoice {
        id: minted("in_1", &seed),
        subscription: Some(minted("sub_1", told.id)),
        created,
        finalized: Some(finalized),
        attempts: vec![Attempt {
            at: finalized,
            outcome: Outcome::Succeeds,
            is_manual: false,
        }],
        ..invoice("").of(told.id).amount(told.amount, told.currency)
    }
}

/// Sent at once, due in two weeks, and paid by a transfer after nine days.
fn by_mail(told: &Subscriber, midnight: DateTime<Utc>) -> Invoice {
    let made = by_card(told, midnight);
    let sent = midnight + TimeDelta::hours(6);
    Invoice {
        attempts: Vec::new(),
        collection: Collection::Mail {
            due: sent + TimeDelta::days(14),
            sent: vec![sent],
        },
        end: Some((sent + TimeDelta::days(9), End::PaidElsewhere)),
        ..made
    }
}

/// More before the weekend than on it; a few cards are declined, and another one is taken at once.
fn in_the_shop(midnight: DateTime<Utc>) -> Vec<Payment> {
    let number = match midnight.weekday() {
        Weekday::Fri => 24,
        Weekday::Sat => 14,
        Weekday::Sun => 10,
        _ => 19,
    };
    let at = |hours: i64, minutes: i64| {
        let at = midnight + TimeDelta::hours(hours) + TimeDelta::minutes(minutes);
        let seed = format!("shop {at}");
        (seed, at, 1_290 + 410 * ((hours * 60 + minutes) % 17))
    };
    let sales = (0..number).map(|place: i64| {
        let minute = 30 + place * (23 * 60 / number) + place % 7;
        a_sale(at(minute / 60, minute % 60), None)
    });
    let friday = Some(DECLINED_ON_FRIDAY).filter(|_| midnight.weekday() == Weekday::Fri);
    let declined = DECLINED.into_iter().chain(friday);
    let declined = declined.map(|(hours, minutes, code)| a_sale(at(hours, minutes), Some(code)));
    sales.chain(declined).collect()
}

/// Over so many cents; after a decline, the other card is taken.
fn a_sale((seed, at, cents): (String, DateTime<Utc>, i64), declined: Option<&str>) -> Payment {
    let attempt = |at, outcome| Attempt {
        at,
        outcome,
        is_manual: true,
    };
    let mut attempts: Vec<Attempt> = Vec::new();
    attempts.extend(declined.map(|code| attempt(at, Outcome::Declined(code.to_owned()))));
    attempts.push(attempt(at + TimeDelta::minutes(2), Outcome::Succeeds));
    Payment {
        created: at,
        customer: None,
        description: Some("Order in the shop".to_owned()),
        attempts,
        ..payment(&minted("pi_3", &seed)).amount(cents, "eur")
    }
}

fn a_payout(midnight: DateTime<Utc>) -> Payout {
    let id = minted("po_1", &format!("payout {}", midnight.date_naive()));
    Payout {
        created: midnight + TimeDelta::hours(2),
        arrival: midnight + TimeDelta::hours(50),
        ..payout(&id).amount(302_118, "eur")
    }
}

fn answered(now: DateTime<Utc>) -> Dispute {
    let days = TimeDelta::days;
    Dispute {
        charge: minted("ch_3", "the disputed one"),
        payment: Some(minted("pi_3", "the disputed one")),
        created: now - days(41),
        due: Some(now - days(34)),
        answered: Some(now - days(38)),
        closed: Some((now - days(12), true)),
        ..dispute("du_1QkAcmeWonLastWeek").amount(8_900, "eur")
    }
}
