//! Stripe's invoices of a period, page by page, of which only what is compared is decoded.

use chrono::DateTime;
use futures_util::{Stream, stream};
use serde::Deserialize;

use super::{Page, Period, StripeInvoice};
use crate::{
    checks::payments::{
        client::{PAGE, Stripe},
        money::Currency,
        permission, read,
    },
    report::{Cause, Unknown},
};

/// A row, leniently: null may stand anywhere.
#[derive(Deserialize)]
struct Row {
    id: Option<String>,
    total: Option<i64>,
    currency: Option<Currency>,
    status: Option<String>,
    created: Option<i64>,
    livemode: Option<bool>,
}

/// How far the reading has come.
enum Next {
    First,
    After(String),
    Done,
}

/// The newest first, as Stripe gives them. Each page is asked for when it is polled for.
pub(in crate::checks::payments) fn invoices<'a>(
    stripe: &'a Stripe<'_>,
    period: Period,
) -> impl Stream<Item = Result<Page, Unknown>> + Send + 'a {
    let (from, to) = period.at_stripe();
    let window = [from, to].map(|at| at.timestamp().to_string());
    stream::try_unfold((Next::First, window), async |(next, window)| {
        let after = match &next {
            Next::First => None,
            Next::After(id) => Some(id.as_str()),
            Next::Done => return Ok(None),
        };
        let (page, next) = page(stripe, &window, after).await?;
        Ok(Some((page, (next, window))))
    })
}

async fn page(
    stripe: &Stripe<'_>,
    [from, to]: &[String; 2],
    after: Option<&str>,
) -> Result<(Page, Next), Unknown> {
    let limit = PAGE.to_string();
    let mut query = vec![
        ("created[gte]", from.as_str()),
        ("created[lt]", to.as_str()),
        ("limit", &limit),
    ];
    query.extend(after.map(|id| ("starting_after", id)));
    stripe.expect(1);
    let list = stripe
        .rows::<Row>(&["invoices"], &query, permission::INVOICES)
        .await?;
    stripe.notice_livemode(list.items.iter().filter_map(|row| row.livemode));
    let last = list.items.last().and_then(|row| row.id.clone());
    let next = match (list.has_more, last) {
        (false, _) => Next::Done,
        (true, Some(last)) if after != Some(last.as_str()) => Next::After(last),
        (true, _) => return Err(circle()),
    };
    let invoices = list.items.into_iter().map(invoice).collect::<Option<_>>();
    let page = Page {
        invoices: invoices.ok_or_else(unreadable)?,
        more: list.has_more,
    };
    Ok((page, next))
}

fn invoice(row: Row) -> Option<StripeInvoice> {
    Some(StripeInvoice {
        id: row.id.filter(|id| read::is_id(id))?,
        total: row.total?,
        currency: row.currency?,
        status: row.status.unwrap_or_else(|| "unknown".to_owned()),
        created: DateTime::from_timestamp(row.created?, 0)?,
    })
}

fn circle() -> Unknown {
    let reason =
        "Stripe said that there are more invoices, and its next page brought none; look again";
    Unknown::new(Cause::Decode, reason)
}

fn unreadable() -> Unknown {
    let reason = "an invoice came from Stripe without an id, a total, a currency or a time of creation; see whether `url` in [checks.payments] leads to Stripe itself";
    Unknown::new(Cause::Decode, reason)
}
