//! Reads Stripe's lists page by page, to their end or to the end of the budget.

use std::collections::HashSet;

use serde_json::Value;

use super::client::Stripe;
use crate::{
    report::{Cause, Unknown},
    text::thousands,
};

/// A list to be read page by page.
pub(super) struct List<'a> {
    /// Below `/v1`: "events".
    pub route: &'a str,
    /// Without `limit` and `starting_after`.
    pub query: &'a [(&'a str, &'a str)],
    /// `rak_event_read`.
    pub needs: &'a str,
    /// What it holds: "undelivered events".
    pub noun: &'a str,
    pub most_pages: usize,
}

/// What was read of a list.
#[derive(Clone, Debug)]
pub struct Walk<T> {
    pub items: Vec<T>,
    /// Why it is not all of the list; empty if it is.
    pub gaps: Vec<Unknown>,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            gaps: Vec::new(),
        }
    }
}

impl<T> Walk<T> {
    /// The number of the items as far as it is known: "37", "1,000+".
    pub fn number(&self) -> String {
        at_least(self.items.len(), self.is_whole())
    }

    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// "37", and "1,000+" if there may be more.
pub(super) fn at_least(number: usize, whole: bool) -> String {
    let more = if whole { "" } else { "+" };
    format!("{}{more}", thousands(number as u64))
}

impl Stripe<'_> {
    /// Reads a list to the end that `has_more` tells; keeps what was read if it doesn't get there.
    pub(super) async fn walk<T>(
        &self,
        list: &List<'_>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Walk<T> {
        let mut walk = Walk::default();
        let (mut seen, mut unreadable) = (HashSet::new(), 0);
        let mut after = None::<String>;
        let mut pages = 0;
        let limit = self.rows.to_string();
        let end = loop {
            let mut query = list.query.to_vec();
            query.push(("limit", &limit));
            query.extend(after.as_deref().map(|id| ("starting_after", id)));
            if pages > 0 {
                if let Err(why) = self.budget.take() {
                    break Err(why);
                }
                self.expect(1);
            }
            let page = match self.page(&[list.route], &query, list.needs).await {
                Ok(page) => page,
                Err(unknown) => break Err(unknown),
            };
            pages += 1;
            let before = seen.len();
            for item in &page.items {
                match (item["id"].as_str(), read(item)) {
                    (Some(id), _) if seen.contains(id) => {}
                    (Some(id), Some(thing)) => {
                        seen.insert(id.to_owned());
                        walk.items.push(thing);
                    }
                    _ => unreadable += 1,
                }
            }
            if !page.has_more {
                break Ok(());
            }
            let last = page.items.last().and_then(|item| item["id"].as_str());
            match last {
                Some(last) if seen.len() > before => after = Some(last.to_owned()),
                _ => break Err(circle(list)),
            }
            if pages >= list.most_pages {
                break Err(enough(list));
            }
        };
        if let Err(why) = end {
            walk.gaps.push(stopped(list, walk.items.len(), why));
        }
        if unreadable > 0 {
            walk.gaps.push(nameless(list, unreadable));
        }
        walk
    }
}

fn circle(list: &List<'_>) -> Unknown {
    let reason = format!(
        "Stripe said that there are more {}, and its next page brought none; look again",
        list.noun
    );
    Unknown::new(Cause::Decode, reason)
}

fn enough(list: &List<'_>) -> Unknown {
    let reason = format!(
        "`max_pages` in [checks.payments] allows no more than {} of its pages; raise it to read them all",
        list.most_pages
    );
    Unknown::new(Cause::Truncated, reason)
}

fn nameless(list: &List<'_>, number: usize) -> Unknown {
    let reason = format!(
        "{number} of Stripe's {} had no id and could not be read; see whether `url` leads to Stripe itself",
        list.noun
    );
    Unknown::new(Cause::Decode, reason)
}

/// Says how far the reading came, unless it came nowhere.
fn stopped(list: &List<'_>, read: usize, why: Unknown) -> Unknown {
    if read == 0 {
        return why;
    }
    let reason = format!(
        "read {} of {}+ {}, then: {}",
        thousands(read as u64),
        thousands(read as u64),
        list.noun,
        why.reason.as_str()
    );
    Unknown::new(Cause::Truncated, reason)
}
