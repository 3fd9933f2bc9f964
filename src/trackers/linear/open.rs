//! Opens an issue under an id of our own choice, so that there can't be two.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Section,
    client::Client,
    issue::{FIELDS, Issue, priority, uuid},
    no_team,
    refusal::Refusal,
};
use crate::{
    text::Untrusted,
    ticket::{Draft, Marker},
    trackers::{Ensured, NotEnsured, digest, labels},
};

pub(super) async fn open(
    section: &Section,
    client: &Client,
    marker: &Marker,
    draft: &Draft,
) -> Result<Ensured, NotEnsured> {
    let id = uuid(digest("issue", marker, &[&section.team]));
    if let Some(issue) = client.issue(&id).await.map_err(Refusal::of_a_look)? {
        return Ok(found(&issue));
    }
    let wanted = labels(&section.labels, draft);
    let known = client.team(&section.team, &wanted).await;
    let known = known.map_err(Refusal::of_a_look)?;
    let Some(team) = &known.team else {
        return Err(NotEnsured::refused(no_team(&section.team)));
    };
    let input = json!({
        "id": id,
        "teamId": team.id,
        "title": draft.title,
        "description": format!("{}\n\n`{}`", draft.body, marker.words()),
        "priority": priority(draft.severity),
        "labelIds": known.ids(&wanted),
    });
    match make(client, input).await {
        Ok(issue) => Ok(Ensured {
            ticket: issue.ticket(),
            remark: remark(&section.team, &known.missing(&wanted)),
        }),
        // Another caller may have been first, or the answer was lost: the id tells.
        Err(refusal) => match client.issue(&id).await {
            Ok(Some(issue)) => Ok(found(&issue)),
            Ok(None) => Err(refusal.of_a_change()),
            Err(_) => Err(refusal.unseen()),
        },
    }
}

async fn make(client: &Client, input: Value) -> Result<Issue, Refusal> {
    let mutation = format!(
        "mutation Open($input: IssueCreateInput!) {{ issueCreate(input: $input) {{ success issue {{ {FIELDS} }} }} }}"
    );
    let data = client.change(&mutation, json!({ "input": input })).await?;
    changed(&data["issueCreate"], "issueCreate")
}

/// The issue of a mutation that says that it succeeded.
pub(super) fn changed(payload: &Value, what: &str) -> Result<Issue, Refusal> {
    if payload["success"].as_bool() != Some(true) {
        return Err(Refusal::without_success(what));
    }
    Issue::deserialize(&payload["issue"]).map_err(|_| Refusal::unexpected(what))
}

fn found(issue: &Issue) -> Ensured {
    let remark = issue.is_trashed().then(|| {
        Untrusted::from("somebody has deleted it in Linear; restore it from the trash there")
    });
    Ensured {
        ticket: issue.ticket(),
        remark,
    }
}

fn remark(team: &str, missing: &[String]) -> Option<Untrusted> {
    (!missing.is_empty()).then(|| {
        let names = missing.join(", ");
        Untrusted::from(format!(
            "it has no labels {names}: Linear has none that the team {team} can use; make them there to have them set"
        ))
    })
}
