//! Opens a closed issue again, with a comment that says why.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    client::Client,
    issue::{FIELDS, Issue, uuid},
    open::changed,
    refusal::Refusal,
};
use crate::{
    ticket::{Marker, TicketState},
    trackers::{Ensured, NotEnsured, comment_digest},
};

/// Comments first, if it can be opened, under an id of our own choice: what is open again has been explained.
pub(super) async fn reopen(
    client: &Client,
    team: &str,
    marker: &Marker,
    id: &str,
    comment: &str,
    wanted_at: DateTime<Utc>,
) -> Result<Ensured, NotEnsured> {
    let issue = client.issue(id).await.map_err(Refusal::of_a_look)?;
    if issue.is_none() {
        let seen = client.sees_the_team(team).await;
        seen.map_err(NotEnsured::not_sent)?;
    }
    let Some(issue) = issue.filter(|issue| !issue.is_trashed()) else {
        return Err(NotEnsured::gone(
            "the issue was deleted in Linear, or can no longer be seen; open a new ticket",
        ));
    };
    let beginning = match issue.ticket().state {
        TicketState::Closed => Some(beginning(&issue)?),
        _ => None,
    };
    say(
        client,
        &issue,
        comment,
        uuid(comment_digest(marker, wanted_at)),
    )
    .await?;
    open_again(client, id, &issue, beginning)
        .await
        .map_err(NotEnsured::after_a_write)
}

async fn open_again(
    client: &Client,
    id: &str,
    issue: &Issue,
    beginning: Option<&str>,
) -> Result<Ensured, NotEnsured> {
    if issue.is_archived() {
        let mutation = "mutation Unarchive($id: String!) { issueUnarchive(id: $id) { success } }";
        let data = client
            .change(mutation, json!({ "id": id }))
            .await
            .map_err(Refusal::of_a_change)?;
        if data["issueUnarchive"]["success"].as_bool() != Some(true) {
            return Err(Refusal::without_success("issueUnarchive").of_a_change());
        }
    }
    let mut ticket = issue.ticket();
    if let Some(state) = beginning {
        ticket = begin_again(client, issue, state).await?.ticket();
    }
    if ticket.state == TicketState::Closed {
        return Err(Refusal::unexpected("issueUpdate").of_a_change());
    }
    Ok(Ensured {
        ticket,
        remark: None,
    })
}

async fn say(client: &Client, issue: &Issue, comment: &str, id: String) -> Result<(), NotEnsured> {
    if client.has_comment(&id).await.map_err(Refusal::of_a_look)? {
        return Ok(());
    }
    let mutation = "mutation Say($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }";
    let input = json!({ "id": id, "issueId": issue.id, "body": comment });
    let said = client.change(mutation, json!({ "input": input })).await;
    let refusal = match said {
        Ok(data) if data["commentCreate"]["success"].as_bool() == Some(true) => return Ok(()),
        Ok(_) => Refusal::without_success("commentCreate"),
        Err(refusal) => refusal,
    };
    match client.has_comment(&id).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(refusal.of_a_change()),
        Err(_) => Err(refusal.unseen()),
    }
}

/// The state of its team's workflow where it begins again.
fn beginning(issue: &Issue) -> Result<&str, NotEnsured> {
    let state = issue.team.as_ref().and_then(|team| team.beginning());
    state.ok_or_else(|| {
        NotEnsured::refused(format!(
            "the team of {} has no state that is not done; give its workflow one, and try again",
            issue.ticket().name
        ))
    })
}

async fn begin_again(client: &Client, issue: &Issue, state: &str) -> Result<Issue, NotEnsured> {
    let mutation = format!(
        "mutation Begin($id: String!, $input: IssueUpdateInput!) {{ issueUpdate(id: $id, input: $input) {{ success issue {{ {FIELDS} }} }} }}"
    );
    let variables = json!({ "id": issue.id, "input": { "stateId": state } });
    let data: Value = client
        .change(&mutation, variables)
        .await
        .map_err(Refusal::of_a_change)?;
    changed(&data["issueUpdate"], "issueUpdate").map_err(Refusal::of_a_change)
}
