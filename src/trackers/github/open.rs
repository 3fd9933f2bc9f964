//! Opens an issue, unless there is one with the marker.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    GitHub,
    client::{self, Client},
    duplicate,
    issue::Issue,
};
use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
    ticket::{Draft, Marker},
    trackers::{Ensured, NotEnsured, labels},
    upstream::Failure,
};

/// How far GitHub's clock may be behind ours.
pub(super) const SKEW: TimeDelta = TimeDelta::minutes(10);

/// Pages that are read at most to say that there is no such issue.
const PAGES: usize = 100;

/// Pages of tickets that are looked through for one from before our database was lost.
const OLD_PAGES: usize = 3;

pub(super) async fn open(
    github: &GitHub,
    client: &Client,
    marker: &Marker,
    draft: &Draft,
    wanted_at: DateTime<Utc>,
) -> Result<Ensured, NotEnsured> {
    let mut draft = draft.clone();
    draft.labels.push(format!("severity: {}", draft.severity));
    let labels = labels(&github.section.labels, &draft);
    let found = find(github, client, marker, wanted_at).await?;
    if let Some(issue) = found {
        return Ok(ensured(github, &issue, &labels));
    }
    let made = make(github, client, marker, &draft, &labels).await?;
    // Whoever stood still between the look and this may have been overtaken. A look that fails now tells nothing.
    let all = recent(github, client, marker, wanted_at - SKEW).await;
    let oldest = all
        .unwrap_or_default()
        .into_iter()
        .min_by_key(|it| it.number);
    match oldest.filter(|oldest| oldest.number < made.number) {
        None => Ok(ensured(github, &made, &labels)),
        Some(oldest) => Ok(Ensured {
            ticket: oldest.ticket(&github.repository()),
            remark: Some(duplicate::close(github, client, &made, &oldest).await),
        }),
    }
}

fn ensured(github: &GitHub, issue: &Issue, labels: &[String]) -> Ensured {
    Ensured {
        ticket: issue.ticket(&github.repository()),
        remark: remark(github, issue, labels),
    }
}

async fn make(
    github: &GitHub,
    client: &Client,
    marker: &Marker,
    draft: &Draft,
    labels: &[String],
) -> Result<Issue, NotEnsured> {
    let mut issue = json!({
        "title": draft.title,
        "body": format!("{}\n\n{}", draft.body, marker.comment()),
    });
    if !labels.is_empty() {
        issue["labels"] = json!(labels);
    }
    if !github.section.assignees.is_empty() {
        issue["assignees"] = json!(github.section.assignees);
    }
    client.create(&github.repository(), &issue).await
}

/// The oldest issue that carries the marker, among those since the decision and the newest with our label.
async fn find(
    github: &GitHub,
    client: &Client,
    marker: &Marker,
    wanted_at: DateTime<Utc>,
) -> Result<Option<Issue>, NotEnsured> {
    let mut found = recent(github, client, marker, wanted_at - SKEW).await?;
    if found.is_empty() {
        found = labelled(github, client, marker).await?;
    }
    Ok(found.into_iter().min_by_key(|issue| issue.number))
}

async fn recent(
    github: &GitHub,
    client: &Client,
    marker: &Marker,
    since: DateTime<Utc>,
) -> Result<Vec<Issue>, NotEnsured> {
    let from = client::timestamp(since);
    let query = [
        ("since", from.as_str()),
        ("sort", "created"),
        ("direction", "desc"),
    ];
    let mut found = Vec::new();
    let mut pages = Pages::default();
    while pages.read < PAGES {
        let Some(items) = pages.next(github, client, &query).await? else {
            return Ok(found);
        };
        // Older ones are in the list because they were changed since.
        let is_older = items.last().is_some_and(|issue| issue.created_at < since);
        found.extend(items.into_iter().filter(|issue| issue.carries(marker)));
        if is_older {
            return Ok(found);
        }
    }
    let reason = format!(
        "more than {PAGES} pages of issues were opened in {} since the ticket was asked for, and were not all looked through for it; look there, and open it by hand",
        github.repository()
    );
    Err(NotEnsured::not_sent(Unknown::new(Cause::Truncated, reason)))
}

async fn labelled(
    github: &GitHub,
    client: &Client,
    marker: &Marker,
) -> Result<Vec<Issue>, NotEnsured> {
    let Some(label) = github.search_label() else {
        return Ok(Vec::new());
    };
    let query = [
        ("labels", label),
        ("sort", "created"),
        ("direction", "desc"),
    ];
    let mut found = Vec::new();
    let mut pages = Pages::default();
    while pages.read < OLD_PAGES {
        match pages.next(github, client, &query).await? {
            None => break,
            Some(items) => found.extend(items.into_iter().filter(|issue| issue.carries(marker))),
        }
    }
    Ok(found)
}

/// Walks a list; where a page holds too much to be read, in smaller ones from the start.
struct Pages {
    read: usize,
    rows: usize,
    ended: bool,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            read: 0,
            rows: 100,
            ended: false,
        }
    }
}

impl Pages {
    async fn next(
        &mut self,
        github: &GitHub,
        client: &Client,
        query: &[(&str, &str)],
    ) -> Result<Option<Vec<Issue>>, NotEnsured> {
        if self.ended {
            return Ok(None);
        }
        let repository = github.repository();
        let page = match client
            .issues(&repository, query, (self.read + 1, self.rows))
            .await
        {
            Err(failure) if is_too_long(&failure) && self.rows > 20 => {
                (self.read, self.rows) = (0, 20);
                client.issues(&repository, query, (1, self.rows)).await
            }
            page => page,
        };
        let page = page.map_err(client::not_seen)?;
        self.read += 1;
        self.ended = page.is_last;
        Ok(Some(page.items))
    }
}

fn is_too_long(failure: &Failure) -> bool {
    failure.cause == Cause::Truncated
}

/// What GitHub dropped without a word, as it does for tokens that may not write to the repository.
fn remark(github: &GitHub, issue: &Issue, labels: &[String]) -> Option<Untrusted> {
    let dropped = [
        ("labels", issue.lacks_labels(labels)),
        (
            "assignees",
            issue.lacks_assignees(&github.section.assignees),
        ),
    ];
    let dropped: Vec<String> = dropped
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("the {what} {}", names.join(", ")))
        .collect();
    (!dropped.is_empty()).then(|| {
        let needs = "to have them, give the token's account push access, and see that assignees have access too";
        Untrusted::from(format!(
            "GitHub dropped {} without saying so; {needs}",
            dropped.join(" and ")
        ))
    })
}
