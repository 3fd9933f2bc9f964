//! Opens a closed issue again, with a comment that says why.

use chrono::{DateTime, Utc};

use super::{
    client::{self, Client},
    issue::Place,
    open::SKEW,
};
use crate::{
    report::{Cause, Unknown},
    ticket::{Marker, TicketState},
    trackers::{Ensured, NotEnsured, comment_words},
};

/// Pages of comments since the decision that are looked through for ours.
const PAGES: usize = 50;

/// Comments first: what is open again has been explained.
pub(super) async fn reopen(
    client: &Client,
    place: &Place,
    marker: &Marker,
    comment: &str,
    wanted_at: DateTime<Utc>,
) -> Result<Ensured, NotEnsured> {
    let issue = match client.issue(place).await {
        Ok(issue) => issue,
        Err(failure) => {
            client
                .is_gone(place, failure)
                .await
                .map_err(client::not_seen)?;
            return Err(NotEnsured::gone(format!(
                "{place} was deleted or moved to another repository; open a new ticket"
            )));
        }
    };
    let words = comment_words(marker, wanted_at);
    if !is_said(client, place, &words, wanted_at).await? {
        let body = format!("{comment}\n\n<!-- {words} -->");
        client.comment(place, &body).await?;
    }
    let mut ticket = issue.ticket(&place.repository);
    if ticket.state == TicketState::Closed {
        let opened = client.open_again(place).await;
        let issue = opened.map_err(NotEnsured::after_a_write)?;
        ticket = issue.ticket(&place.repository);
    }
    if ticket.state == TicketState::Closed {
        let reason =
            format!("GitHub took the change, but shows {place} as closed; look at it there");
        let why = Unknown::new(Cause::Decode, reason);
        return Err(NotEnsured::in_doubt(why));
    }
    Ok(Ensured {
        ticket,
        remark: None,
    })
}

async fn is_said(
    client: &Client,
    place: &Place,
    words: &str,
    wanted_at: DateTime<Utc>,
) -> Result<bool, NotEnsured> {
    for number in 1..=PAGES {
        let page = client
            .comments(place, wanted_at - SKEW, number)
            .await
            .map_err(client::not_seen)?;
        if page.items.iter().any(|comment| comment.holds(words)) {
            return Ok(true);
        }
        if page.is_last {
            return Ok(false);
        }
    }
    let reason = format!(
        "{place} has had more than {PAGES} pages of comments since, and they were not all looked through; reopen it by hand"
    );
    Err(NotEnsured::not_sent(Unknown::new(Cause::Truncated, reason)))
}
