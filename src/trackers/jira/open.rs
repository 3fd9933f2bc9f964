//! Opens an issue, unless there is one with the marker's label.
//!
//! Jira takes no id of our own, and its search may be seconds behind. So after the search, the issues that came after
//! the newest one it knows are fetched by their keys, which Jira counts up, from the database itself.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Section,
    adf::document,
    client::{BULK, Client, Issue},
    refusal::not_seen,
};
use crate::{
    report::{Cause, Unknown},
    ticket::{Draft, Marker},
    trackers::{Ensured, NotEnsured, labels},
};

/// Keys that are tried at most beyond the newest issue that the search knows.
const BEYOND: usize = 2_000;

#[derive(Deserialize)]
struct Made {
    id: String,
    key: String,
}

pub(super) async fn open(
    section: &Section,
    client: &Client<'_>,
    marker: &Marker,
    draft: &Draft,
) -> Result<Ensured, NotEnsured> {
    let ticket = match find(section, client, marker).await? {
        Some(issue) => client.ticket(&issue).await,
        None => {
            let issue = json!({ "fields": fields(section, marker, draft) });
            let made: Made = client.post(&["issue"], &issue).await?;
            client.ticket(&Issue::made(made.id, made.key)).await
        }
    };
    Ok(Ensured {
        ticket,
        remark: None,
    })
}

fn fields(section: &Section, marker: &Marker, draft: &Draft) -> Value {
    let kind = section.issue_type.trim();
    let names = labels(&section.labels, draft).into_iter();
    let names = names.map(|label| label.split_whitespace().collect::<Vec<_>>().join("-"));
    let text = format!("{}\n\n`{}`", draft.body, marker.words());
    let mut fields = json!({
        "project": { "key": section.project },
        "issuetype": if kind.bytes().all(|b| b.is_ascii_digit()) { json!({ "id": kind }) } else { json!({ "name": kind }) },
        "summary": draft.title,
        "description": document(&text),
        "labels": names.chain([marker.label()]).collect::<Vec<_>>(),
    });
    if let Some(priority) = section.priorities.get(&draft.severity) {
        fields["priority"] = json!({ "name": priority });
    }
    for (name, value) in &section.fields {
        fields[name] = value.clone();
    }
    fields
}

/// The oldest issue with the marker's label.
async fn find(
    section: &Section,
    client: &Client<'_>,
    marker: &Marker,
) -> Result<Option<Issue>, NotEnsured> {
    let label = marker.label();
    let jql = format!("labels = \"{label}\" ORDER BY created ASC");
    let found = client.search(&jql).await.map_err(not_seen)?;
    if let Some(issue) = found.into_iter().find(|issue| issue.has_label(&label)) {
        return Ok(Some(issue));
    }
    let jql = format!("project = \"{}\" ORDER BY key DESC", section.project);
    let newest = client.search(&jql).await.map_err(not_seen)?;
    let newest = newest.iter().filter_map(Issue::number).max().unwrap_or(0);
    unindexed(section, client, &label, newest).await
}

/// The one with that label among the issues that came after the number.
async fn unindexed(
    section: &Section,
    client: &Client<'_>,
    label: &str,
    newest: u64,
) -> Result<Option<Issue>, NotEnsured> {
    let mut last = newest;
    for _ in 0..BEYOND / BULK {
        let numbers = last + 1..=last + BULK as u64;
        let keys: Vec<String> = numbers
            .map(|n| format!("{}-{n}", section.project))
            .collect();
        let Some(issues) = client.fetch(&keys).await.map_err(not_seen)? else {
            return Ok(None);
        };
        if let Some(issue) = issues.iter().find(|issue| issue.has_label(label)) {
            return Ok(Some(issue.clone()));
        }
        if issues.is_empty() {
            return Ok(None);
        }
        last += BULK as u64;
    }
    let reason = format!(
        "Jira's search is more than {BEYOND} issues behind in {}, so it can't be told whether the ticket is there already; it is tried again later",
        section.project
    );
    Err(NotEnsured::not_sent(Unknown::new(Cause::Truncated, reason)))
}
