//! Reads Sentry's lists page by page, to the end that Sentry tells, or says how far it came.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    client::{PAGE, Sentry},
    pages::{self, Hits, Next},
};
use crate::report::{Cause, Unknown};

/// A list to be read page by page.
pub(super) struct List<'a> {
    /// Below the organization: "issues".
    pub route: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    pub needs: &'a str,
    /// What it holds: "issues of the last 24 h".
    pub noun: &'a str,
    /// The most items to read.
    pub most: usize,
}

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Walk<T> {
    pub items: Vec<T>,
    /// When it was begun, by Sentry's clock; none if nothing came back.
    pub began_at: Option<DateTime<Utc>>,
    /// Why it is not all of the list; empty if it is.
    pub gaps: Vec<Unknown>,
    /// How long Sentry asked to be left alone, if that stopped it.
    pub asked_wait: Option<Duration>,
}

impl Sentry<'_> {
    /// Reads a list to the end that its `Link` header tells; keeps what was read if it doesn't get there.
    pub(super) async fn walk<T>(
        &self,
        list: &List<'_>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Walk<T> {
        let mut walk = Walk {
            items: Vec::new(),
            began_at: None,
            gaps: Vec::new(),
            asked_wait: None,
        };
        let (mut hits, mut cursors) = (None, HashSet::new());
        let (mut cursor, mut unreadable) = (None::<String>, 0);
        let end = loop {
            let mut query = list.query.to_vec();
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = match self.page(list.route, &query, list.needs).await {
                Ok(page) => page,
                Err(failure) => {
                    walk.asked_wait = failure.asked_wait();
                    break Err(Unknown::from(failure));
                }
            };
            walk.began_at = walk
                .began_at
                .or(Some(page.date().unwrap_or(page.received_at)));
            if hits.is_none() {
                hits = Hits::read(&page.headers);
                let pages = hits.map_or(1, |hits| hits.number.div_ceil(PAGE));
                self.expect(pages.saturating_sub(1));
            }
            for item in &page.body {
                match read(item) {
                    Some(item) => walk.items.push(item),
                    None => unreadable += 1,
                }
            }
            let read = walk.items.len() + unreadable;
            match pages::next(&page.headers) {
                Next::End => break Ok(()),
                Next::Unsaid => break Err(unsaid(list, page.body.is_empty() && cursor.is_none())),
                Next::Cursor(next) if !cursors.insert(next.clone()) => break Err(circle(list)),
                Next::Cursor(_) if read >= list.most => break Err(enough()),
                Next::Cursor(next) => cursor = Some(next),
            }
        };
        if let Err(why) = end {
            walk.gaps.push(stopped(list, &walk.items, hits, why));
        }
        if unreadable > 0 {
            walk.gaps.push(nameless(list, unreadable));
        }
        walk
    }
}

fn circle(list: &List<'_>) -> Unknown {
    let reason = format!(
        "Sentry gave the same cursor twice for its {}; look again",
        list.noun
    );
    Unknown::new(Cause::Decode, reason)
}

fn enough() -> Unknown {
    let reason =
        "this is the most that is read; raise `max_issues`, or resolve and archive what is old";
    Unknown::new(Cause::Truncated, reason)
}

fn nameless(list: &List<'_>, number: usize) -> Unknown {
    let reason = format!(
        "{number} of Sentry's {} had no id and could not be read; see whether `url` leads to Sentry itself",
        list.noun
    );
    Unknown::new(Cause::Decode, reason)
}

/// Sentry always sends `Link` with a list, but for one case: a token that may see no project gets an empty list.
fn unsaid(list: &List<'_>, empty: bool) -> Unknown {
    let noun = list.noun;
    if empty {
        let reason = format!(
            "Sentry answered with an empty list of {noun} and no `Link` header, as it does to a token that may see no project; give the token {}",
            list.needs
        );
        return Unknown::new(Cause::Forbidden, reason);
    }
    Unknown::new(
        Cause::Truncated,
        format!(
            "Sentry didn't say whether there are more {noun} (no `Link` header that can be read); see whether a proxy takes it away"
        ),
    )
}

/// Says how far the reading came, unless it came nowhere.
fn stopped<T>(list: &List<'_>, items: &[T], hits: Option<Hits>, why: Unknown) -> Unknown {
    if items.is_empty() {
        return why;
    }
    let progress = pages::progress(items.len(), hits, list.noun);
    Unknown::new(
        Cause::Truncated,
        format!("read {progress}, then: {}", why.reason.as_str()),
    )
}
