//! The invoices of one account: by list, and one by one what no list holds any more.

use std::collections::BTreeSet;

use super::{About, Asked};
use crate::{
    checks::payments::{
        Why,
        client::is_missing,
        earlier::Unsettled,
        event::Event,
        findings::unpaid::declined,
        invoice::Invoice,
        permission,
        reach::events_kept,
        read,
        seen::{Again, Failures, Invoices},
    },
    report::{Cause, Unknown},
};

/// Invoices that are read one by one in a look at an account, because earlier ones left them open.
const AGAIN: usize = 20;

/// Invoices of which is asked why they failed, where no event tells.
const ASKED_WHY: usize = 5;

impl Asked<'_> {
    pub(in crate::checks::payments) async fn invoices(&self) -> Invoices {
        let of = async |status: &str, noun: &'static str| {
            let about = About {
                route: "invoices",
                needs: permission::INVOICES,
                noun,
            };
            let mut query = self.since(self.reach.invoices);
            query.push(("status", status.to_owned()));
            self.walk(about, query, Invoice::read).await
        };
        let (open, uncollectible, drafts) = tokio::join!(
            of("open", "open invoices"),
            of("uncollectible", "uncollectible invoices"),
            of("draft", "draft invoices"),
        );
        Invoices {
            open,
            uncollectible,
            drafts,
            ..Invoices::default()
        }
    }

    /// Stripe keeps no mark on an invoice that it was sent; only the event tells, and only for 30 days.
    pub(in crate::checks::payments) async fn sent(
        &self,
        unsettled: &Unsettled<'_>,
        invoices: &mut Invoices,
    ) {
        let kept = events_kept(self.now);
        let left_open = unsettled.invoices();
        let open = invoices.all().filter(|it| it.status == "open");
        let by_mail = open.filter(|it| it.is_sent_by_mail());
        // An old one may have been sent at last.
        let asked = by_mail
            .filter(|it| it.finalized_at > Some(kept) || left_open.contains(&it.id.as_str()));
        let Some(oldest) = asked.filter_map(|it| it.finalized_at).min() else {
            return;
        };
        let oldest = oldest.max(kept);
        let about = About {
            route: "events",
            needs: permission::EVENTS,
            noun: "events of invoices sent",
        };
        let mut query = self.since(oldest);
        query.push(("type", "invoice.sent".to_owned()));
        invoices.sent = Some(self.walk(about, query, Event::read).await);
        invoices.sent_since = Some(oldest);
    }

    /// What an earlier look left open is paid, gone, or only older than what the lists hold.
    pub(in crate::checks::payments) async fn again(
        &self,
        unsettled: &Unsettled<'_>,
        invoices: &mut Invoices,
    ) {
        let listed: BTreeSet<&str> = invoices.listed().map(|it| it.id.as_str()).collect();
        let missed = unsettled.invoices().into_iter();
        let missed = missed.filter(|id| read::is_id(id) && !listed.contains(id));
        let mut missed: Vec<&str> = missed.collect();
        let first = self.first_again(missed.len());
        missed.rotate_left(first);
        let mut again = Again::default();
        for id in missed.into_iter().take(AGAIN) {
            if let Err(why) = self.stripe.budget.take() {
                again.unread.insert(id.to_owned(), why);
                continue;
            }
            match self.one(id).await {
                Ok(Some(invoice)) => again.invoices.push(invoice),
                Ok(None) => again.gone.push(id.to_owned()),
                Err(why) => {
                    again.unread.insert(id.to_owned(), why);
                }
            }
        }
        invoices.again = again;
    }

    /// Another one each day, so that in some days each of so many has had its turn.
    fn first_again(&self, number: usize) -> usize {
        let day = usize::try_from(self.now.timestamp() / 86_400).unwrap_or_default();
        day.wrapping_mul(AGAIN).checked_rem(number).unwrap_or(0)
    }

    async fn one(&self, id: &str) -> Result<Option<Invoice>, Unknown> {
        self.stripe.expect(1);
        let path = ["invoices", id];
        let answer = match self.stripe.one(&path, &[], permission::INVOICES).await {
            Ok(answer) if answer["deleted"] == true => return Ok(None),
            Ok(answer) => answer,
            Err(failure) if is_missing(&failure) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let invoice = Invoice::read(&answer).filter(|invoice| invoice.id == id);
        let other = || {
            let reason = "Stripe's answer is not the invoice that was asked for; see whether `url` in [checks.payments] leads to Stripe itself";
            Unknown::new(Cause::Decode, reason)
        };
        invoice.map(Some).ok_or_else(other)
    }

    /// Asks for the payments behind the worst invoices of which no event tells why they failed. What can't be read is
    /// not said.
    pub(in crate::checks::payments) async fn why(
        &self,
        failures: &Failures,
        invoices: &mut Invoices,
    ) {
        let declined = declined(invoices.all(), self.now).into_iter();
        let events = failures.walk.items.iter().chain(&failures.earlier);
        let untold = declined.filter(|it| Why::by_events(events.clone(), it).is_none());
        let ids: Vec<String> = untold.take(ASKED_WHY).map(|it| it.id.clone()).collect();
        for id in ids {
            if self.stripe.budget.take().is_err() {
                return;
            }
            self.stripe.expect(1);
            let expand = [("expand[]", "payments.data.payment.payment_intent")];
            let path = ["invoices", id.as_str()];
            let needs = permission::PAYMENTS;
            let Ok(answer) = self.stripe.one(&path, &expand, needs).await else {
                return;
            };
            if let Some(why) = Why::of_invoice(&answer) {
                invoices.why.insert(id, why);
            }
        }
    }
}
