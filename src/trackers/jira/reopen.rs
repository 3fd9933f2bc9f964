//! Opens a closed issue again, with a comment that says why.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    adf::document,
    client::{Client, Issue, Transition},
    refusal::not_seen,
};
use crate::{
    report::{Cause, Unknown},
    ticket::Marker,
    trackers::{Ensured, NotEnsured, comment_words},
};

/// Comments that are read at once, and pages of them at most.
const PAGE: usize = 100;
const PAGES: usize = 50;

#[derive(Deserialize)]
struct Comments {
    comments: Vec<Value>,
    total: usize,
}

/// Comments first, if there is a way: what is open again has been explained.
pub(super) async fn reopen(
    client: &Client<'_>,
    marker: &Marker,
    id: &str,
    comment: &str,
    wanted_at: DateTime<Utc>,
) -> Result<Ensured, NotEnsured> {
    let issue = current(client, id).await?;
    let way = match issue.is_done() {
        true => Some(way_back(client, &issue).await?),
        false => None,
    };
    let words = comment_words(marker, wanted_at);
    if !is_said(client, id, &words).await? {
        let body = json!({ "body": document(&format!("{comment}\n\n`{words}`")) });
        let _: Value = client.post(&["issue", id, "comment"], &body).await?;
    }
    let issue = match way {
        Some(way) => move_back(client, &issue, &way)
            .await
            .map_err(NotEnsured::after_a_write)?,
        None => issue,
    };
    Ok(Ensured {
        ticket: client.ticket(&issue).await,
        remark: None,
    })
}

async fn current(client: &Client<'_>, id: &str) -> Result<Issue, NotEnsured> {
    match client.issue(id).await.map_err(not_seen)? {
        Some(issue) => Ok(issue),
        None => {
            client
                .sees_the_project()
                .await
                .map_err(NotEnsured::not_sent)?;
            Err(NotEnsured::gone(
                "the issue was deleted in Jira, or can no longer be seen; open a new ticket",
            ))
        }
    }
}

/// Looks through the comments, the newest first.
async fn is_said(client: &Client<'_>, id: &str, words: &str) -> Result<bool, NotEnsured> {
    let rows = PAGE.to_string();
    for page in 0..PAGES {
        let start = (page * PAGE).to_string();
        let query = [
            ("orderBy", "-created"),
            ("maxResults", &rows),
            ("startAt", &start),
        ];
        let found: Comments = client
            .get(&["issue", id, "comment"], &query)
            .await
            .map_err(not_seen)?;
        let is_ours = |comment: &Value| comment["body"].to_string().contains(words);
        if found.comments.iter().any(is_ours) {
            return Ok(true);
        }
        if found.comments.is_empty() || (page + 1) * PAGE >= found.total {
            return Ok(false);
        }
    }
    let reason = format!(
        "the issue has more than {} comments, and they were not all looked through; reopen it by hand",
        PAGES * PAGE
    );
    Err(NotEnsured::not_sent(Unknown::new(Cause::Truncated, reason)))
}

/// Out of its state to one that is not done, best to one that is still to do.
async fn way_back(client: &Client<'_>, issue: &Issue) -> Result<Transition, NotEnsured> {
    let offered = client.transitions(issue).await.map_err(not_seen)?;
    let ways = offered.into_iter();
    ways.filter(|way| way.to.category() != "done")
        .min_by_key(|way| way.to.category() != "new")
        .ok_or_else(|| {
            NotEnsured::refused(format!(
                "Jira offers no way out of its state to {}: give the account the permission Transition Issues, and the workflow a transition to an open state",
                issue.key
            ))
        })
}

/// Believes only what is seen afterwards.
async fn move_back(
    client: &Client<'_>,
    issue: &Issue,
    way: &Transition,
) -> Result<Issue, NotEnsured> {
    match client.transit(issue, way).await {
        Err(no @ (NotEnsured::Refused(_) | NotEnsured::Gone(_) | NotEnsured::NotSent(_))) => {
            Err(no)
        }
        Ok(_) | Err(NotEnsured::OutcomeUnknown(_)) => match client.issue(&issue.id).await {
            Ok(Some(now)) if !now.is_done() => Ok(now),
            _ => {
                let reason = format!(
                    "Jira was asked to reopen {}, and does not show it as open; look at it there",
                    issue.key
                );
                Err(NotEnsured::in_doubt(Unknown::new(Cause::Decode, reason)))
            }
        },
    }
}
