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
    duplicate,
    refusal::{self, not_seen},
    usual_priority,
};
use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
    ticket::{Draft, Marker},
    trackers::{Ensured, NotEnsured, labels},
};

/// Keys that are tried at most beyond the newest issue that the search knows.
const BEYOND: usize = 2_000;

/// So many keys in a row without an issue: there are no newer ones. Deleted issues leave gaps.
const GAP: usize = 10;

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
    let (issue, remark) = match find(section, client, marker).await? {
        Some(issue) => (issue, None),
        None => {
            let (made, remark) = make(section, client, marker, draft).await?;
            // Whoever stood still between the look and this may have been overtaken. A look that fails now tells nothing.
            let oldest = find(section, client, marker).await.ok().flatten();
            match oldest.filter(|oldest| oldest.number() < made.number()) {
                None => (made, remark),
                Some(oldest) => {
                    let said = duplicate::close(client, &made, &oldest).await;
                    (oldest, Some(said))
                }
            }
        }
    };
    Ok(Ensured {
        ticket: client.ticket(&issue).await,
        remark,
    })
}

/// With the usual priority where none is configured; where Jira refuses that one, it has changed nothing, and is asked
/// without.
async fn make(
    section: &Section,
    client: &Client<'_>,
    marker: &Marker,
    draft: &Draft,
) -> Result<(Issue, Option<Untrusted>), NotEnsured> {
    let mut fields = fields(section, marker, draft);
    let is_usual = fields.get("priority").is_none();
    let usual = usual_priority(draft.severity);
    if is_usual {
        fields["priority"] = json!({ "name": usual });
    }
    let mut remark = None;
    let mut made = client.write(&["issue"], &json!({ "fields": fields })).await;
    if is_usual && made.as_ref().is_err_and(refusal::is_of_priority) {
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("priority");
        }
        remark = Some(Untrusted::from(format!(
            "its severity, {}, is not set in Jira, which does not take the priority `{usual}` here: name the project's own in `priorities` of [tickets.jira]",
            draft.severity
        )));
        made = client.write(&["issue"], &json!({ "fields": fields })).await;
    }
    let made: Made = made.map_err(refusal::not_written)?;
    Ok((Issue::made(made.id, made.key), remark))
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

/// The oldest with that label among the issues that came after the number.
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
            return one_by_one(section, client, label, last).await;
        };
        let is_last = issues.is_empty();
        let ours = issues.into_iter().filter(|issue| issue.has_label(label));
        if let Some(oldest) = ours.min_by_key(Issue::number) {
            return Ok(Some(oldest));
        }
        if is_last {
            return Ok(None);
        }
        last += BULK as u64;
    }
    Err(too_far_behind(section, BEYOND))
}

/// As [`unindexed`], where many can't be fetched at once.
async fn one_by_one(
    section: &Section,
    client: &Client<'_>,
    label: &str,
    newest: u64,
) -> Result<Option<Issue>, NotEnsured> {
    let mut missing = 0;
    for number in (newest + 1..).take(BULK) {
        let key = format!("{}-{number}", section.project);
        match client.issue(&key).await.map_err(not_seen)? {
            Some(issue) if issue.has_label(label) => return Ok(Some(issue)),
            Some(_) => missing = 0,
            None => missing += 1,
        }
        if missing == GAP {
            return Ok(None);
        }
    }
    Err(too_far_behind(section, BULK))
}

fn too_far_behind(section: &Section, beyond: usize) -> NotEnsured {
    let reason = format!(
        "Jira's search is more than {beyond} issues behind in {}, so it can't be told whether the ticket is there already; it is tried again later",
        section.project
    );
    NotEnsured::not_sent(Unknown::new(Cause::Truncated, reason))
}
