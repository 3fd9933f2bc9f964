//! What can be known of a repository before the first ticket.

use super::{GitHub, client::Client};
use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
};

pub(super) async fn probe(github: &GitHub, client: &Client) -> Result<String, Unknown> {
    let repository = github.repository();
    let seen = client.repository(&repository).await?;
    if seen.body["archived"].as_bool() == Some(true) {
        let reason = format!(
            "{repository} is archived, and takes no issues; set another `repository` in [tickets.github]"
        );
        return Err(Unknown::new(Cause::Refused, reason));
    }
    if seen.body["has_issues"].as_bool() == Some(false) {
        let reason = format!(
            "{repository} has no issues: switch them on in its settings, or set another `repository` in [tickets.github]"
        );
        return Err(Unknown::new(Cause::Gone, reason));
    }
    let scopes = seen
        .headers
        .get("x-oauth-scopes")
        .and_then(|scopes| scopes.to_str().ok());
    if let Some(scopes) = scopes {
        may_write(scopes, seen.body["private"].as_bool() != Some(false))?;
    }
    client.issues(&repository, &[], (1, 1)).await?;
    let mut said = format!("{repository} has issues, and the token reads them");
    if seen.body["permissions"]["push"].as_bool() == Some(false) {
        said.push_str("; its account has no push access, so GitHub will drop labels and assignees");
    }
    if scopes.is_none() {
        said.push_str("; whether it may open them shows with the first one");
    }
    Ok(said)
}

/// Classic tokens say what they may do; the others don't.
fn may_write(scopes: &str, is_private: bool) -> Result<(), Unknown> {
    let has = |scope: &str| scopes.split(',').any(|one| one.trim() == scope);
    if has("repo") || (!is_private && has("public_repo")) {
        return Ok(());
    }
    let needed = if is_private { "repo" } else { "public_repo" };
    let scopes = match Untrusted::from(scopes) {
        none if none.is_empty() => "none".to_owned(),
        some => some.as_str().to_owned(),
    };
    let reason = format!(
        "the scopes of the token in GITHUB_TOKEN are {scopes}: give it `{needed}`, or take a fine-grained one with the permission Issues: read and write"
    );
    Err(Unknown::new(Cause::Forbidden, reason))
}
