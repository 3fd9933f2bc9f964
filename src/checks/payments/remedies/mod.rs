//! What people can have done about this check's findings: an invoice paid or sent again, events sent or replayed. Stripe
//! is read first; it is told once, under the key that the order has for ever; and only what is read afterwards counts.

use secrecy::ExposeSecret;

use super::{
    Mode, Payments,
    client::{Stripe, VERSION, mode_of_key},
    read,
    subject::Subject,
};
use crate::{
    checks::{Applied, Looking, NotApplied, Order},
    report::{Cause, Unknown, Verb},
    text::{Untrusted, cut},
    upstream::Failure,
};

mod admission;
mod collected;
mod declines;
mod endpoint;
mod group;
mod offers;
mod pay;
mod proof;
mod replay;
mod replayed;
mod resend;
mod send;
mod signature;

pub(super) use declines::hard;
pub use endpoint::{Replay, SECRET, Target};
pub(super) use offers::{for_invoice, for_webhooks};
pub(super) use proof::prove;
pub use replayed::Replayed;

/// An order that this check can carry out.
struct Task<'a> {
    section: &'a Payments,
    stripe: Stripe<'a>,
    order: &'a Order,
    looking: &'a Looking,
    what: What,
}

/// What is to be done, and about what.
enum What {
    /// An invoice's id.
    Pay(String),
    Send(String),
    Resend(group::Group),
    Replay(group::Group),
}

/// What was there before the first change, by which later attempts know what came of it.
pub(super) async fn before(
    section: &Payments,
    order: &Order,
    looking: &Looking,
) -> Result<Option<Untrusted>, NotApplied> {
    let task = Task::of(section, order, looking)?;
    match &task.what {
        What::Pay(invoice) => pay::before(&task, invoice).await,
        What::Send(invoice) => send::before(&task, invoice).await,
        What::Resend(_) | What::Replay(_) => Ok(None),
    }
}

pub(super) async fn apply(
    section: &Payments,
    order: &Order,
    looking: &Looking,
) -> Result<Applied, NotApplied> {
    let task = Task::of(section, order, looking)?;
    if order.idempotency_key.is_empty() {
        return Err(refused(
            "this is a defect: the order has no name of its own, so it could be done twice; nothing was sent",
        ));
    }
    match &task.what {
        What::Pay(invoice) => pay::apply(&task, invoice).await,
        What::Send(invoice) => send::apply(&task, invoice).await,
        What::Resend(group) => resend::apply(&task, group).await,
        What::Replay(group) => replay::apply(&task, group).await,
    }
}

/// The requests that an order would send now, a line each; nothing is sent but reads.
pub(super) async fn rehearse(
    section: &Payments,
    order: &Order,
    looking: &Looking,
) -> Result<Vec<Untrusted>, NotApplied> {
    let task = Task::of(section, order, looking)?;
    let lines = match &task.what {
        What::Pay(invoice) => pay::rehearse(&task, invoice).await?,
        What::Send(invoice) => send::rehearse(&task, invoice).await?,
        What::Resend(group) => resend::rehearse(&task, group).await?,
        What::Replay(group) => replay::rehearse(&task, group).await?,
    };
    Ok(lines.into_iter().map(Untrusted::from).collect())
}

impl<'a> Task<'a> {
    fn of(
        section: &'a Payments,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Result<Self, NotApplied> {
        let (what, account) = what(section, order)?;
        let mode = mode_of_key(looking).map_err(not_sent)?;
        if let Some(other) = mode.filter(|mode| *mode != section.mode) {
            let reason = format!(
                "STRIPE_API_KEY is a key of {other} mode, and `mode` in [checks.payments] says {}: nothing was sent; set the key of that mode",
                section.mode
            );
            return Err(not_sent(Unknown::new(Cause::NotConfigured, reason)));
        }
        let stripe = Stripe::connect(section, looking).map_err(not_sent)?;
        Ok(Self {
            section,
            stripe: stripe.of(account).map_err(not_sent)?,
            order,
            looking,
            what,
        })
    }
}

fn what<'a>(section: &'a Payments, order: &Order) -> Result<(What, Option<&'a str>), NotApplied> {
    let subject = Subject::of(&order.key)
        .ok_or_else(|| refused(&format!("{} names nothing at Stripe", order.key)))?;
    let account = match &subject.account {
        None => None,
        Some(id) => {
            let known = section.accounts.iter().find(|known| *known == id);
            Some(known.map(String::as_str).ok_or_else(|| {
                refused(&format!(
                    "the account {id} is not in `accounts` of [checks.payments] any more; nothing was sent"
                ))
            })?)
        }
    };
    let can_not = || {
        let verb = Untrusted::from(order.verb.as_str());
        refused(&format!(
            "Stripe can't be asked to {} {}; invoices can be paid and sent, events resent and replayed",
            verb.as_str(),
            order.key
        ))
    };
    let what = match (Verb::named(&order.verb), subject.kind.as_str()) {
        (Some(Verb::Pay), "invoice") if read::is_id(&subject.rest) => What::Pay(subject.rest),
        (Some(Verb::Send), "invoice") if read::is_id(&subject.rest) => What::Send(subject.rest),
        (Some(Verb::Resend), "webhooks") => {
            What::Resend(group::Group::of(&subject).ok_or_else(can_not)?)
        }
        (Some(Verb::Replay), "webhooks") => {
            What::Replay(group::Group::of(&subject).ok_or_else(can_not)?)
        }
        _ => return Err(can_not()),
    };
    Ok((what, account))
}

/// Nothing is changed in another world than the configured one, whatever the key looks like.
fn of_this_mode(task: &Task<'_>) -> Result<(), NotApplied> {
    let mode = task.section.mode;
    let read = task.stripe.notices().modes;
    let is_proven = mode == Mode::Test || !read.is_empty();
    if is_proven && read.iter().all(|it| *it == mode) {
        return Ok(());
    }
    Err(refused(&format!(
        "what Stripe shows is not of {mode} mode, which `mode` in [checks.payments] says; nothing was sent: set STRIPE_API_KEY to the key of that mode"
    )))
}

/// What a change carries besides its address; the key only as far as it tells its kind.
fn headers(task: &Task<'_>) -> Vec<String> {
    let key = task.looking.secret(super::KEY).ok();
    let kind = key.and_then(|key| {
        let mut words = key.expose_secret().split('_');
        Some(format!("{}_{}_", words.next()?, words.next()?))
    });
    let kind = kind
        .filter(|kind| kind.len() <= "sk_live_".len())
        .unwrap_or_default();
    let name = match task.order.idempotency_key.as_str() {
        "" => "(the order's own, once it is decided)",
        name => name,
    };
    let account = task.stripe.account;
    let mut lines = vec![
        format!("authorization: the key {kind}... in STRIPE_API_KEY"),
        format!("stripe-version: {VERSION}"),
    ];
    lines.extend(account.map(|account| format!("stripe-account: {account}")));
    lines.push(format!("idempotency-key: {name}"));
    lines
}

fn refused(why: &str) -> NotApplied {
    NotApplied::Refused(why.into())
}

/// `Stripe refuses it ("Invoice is already paid")`.
fn in_its_words(failure: &Failure) -> String {
    match &failure.detail {
        Some(said) => format!("Stripe refuses it (\"{}\")", cut(said.as_str(), 200)),
        None => failure.to_string(),
    }
}

fn overtaken(said: impl Into<Untrusted>) -> Applied {
    Applied::Overtaken { said: said.into() }
}

fn not_sent(why: Unknown) -> NotApplied {
    NotApplied::NotSent(why.into())
}

fn done(said: impl Into<Untrusted>) -> Applied {
    Applied::Done {
        said: said.into(),
        changed: true,
        after: None,
    }
}

/// Taken, and not done before somebody else has answered.
fn asked(said: impl Into<Untrusted>) -> Applied {
    Applied::Asked { said: said.into() }
}

/// Found done; whoever did it.
fn was_done(said: impl Into<Untrusted>) -> Applied {
    Applied::Done {
        said: said.into(),
        changed: false,
        after: None,
    }
}
