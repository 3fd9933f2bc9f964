//! Looks only for what failed since a time: one page of events, which carry what they tell of.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    asked::FAILURES,
    client::{PAGE, Stripe},
    event::Event,
    invoice::Invoice,
    permission, read,
    seen::{News, Seen},
    standing::{Dispute, Payout},
};
use crate::report::{Cause, Unknown};

/// One account, by one request.
pub(super) async fn look(stripe: &Stripe<'_>, since: DateTime<Utc>, now: DateTime<Utc>) -> Seen {
    stripe.expect(1);
    let times = [since.timestamp().to_string(), now.timestamp().to_string()];
    let limit = PAGE.to_string();
    let mut query = vec![
        ("created[gte]", times[0].as_str()),
        ("created[lte]", times[1].as_str()),
        ("limit", limit.as_str()),
    ];
    query.extend(FAILURES.map(|kind| ("types[]", kind)));
    let mut news = News::default();
    match stripe.page(&["events"], &query, permission::EVENTS).await {
        Ok(page) => {
            let unread = page
                .items
                .iter()
                .filter(|item| add(&mut news, item).is_break());
            let unread = unread.count();
            news.events.gaps.extend(unreadable(unread));
            news.events.gaps.extend(page.has_more.then(more));
        }
        Err(unknown) => news.events.gaps.push(unknown),
    }
    Seen {
        account: stripe.account.map(str::to_owned),
        news,
        ..Seen::default()
    }
}

/// Breaks where an event can't be read.
fn add(news: &mut News, item: &Value) -> ControlFlow<()> {
    let Some(event) = Event::read(item) else {
        return ControlFlow::Break(());
    };
    let object = &item["data"]["object"];
    let is_read = match read::word(&object["object"]).as_deref() {
        Some("invoice") => add_to(&mut news.invoices, Invoice::read(object)),
        Some("dispute") => add_to(&mut news.disputes, Dispute::read(object)),
        Some("payout") => add_to(&mut news.payouts, Payout::read(object)),
        _ => true,
    };
    news.events.items.push(event);
    if is_read {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// Whether there was something to add.
fn add_to<T>(things: &mut Vec<T>, read: Option<T>) -> bool {
    let is_read = read.is_some();
    things.extend(read);
    is_read
}

fn unreadable(number: usize) -> Option<Unknown> {
    let reason = format!(
        "{number} of Stripe's failure events had no id, or told of something without one, and could not be read; see whether `url` leads to Stripe itself"
    );
    (number > 0).then(|| Unknown::new(Cause::Decode, reason))
}

fn more() -> Unknown {
    let reason = format!(
        "more than {PAGE} failure events came since the last look, of which only the newest {PAGE} were read; run the whole check"
    );
    Unknown::new(Cause::Truncated, reason)
}
