//! Closes an issue that was made just now, where another process had made one meanwhile.

use serde_json::{Value, json};

use super::{
    adf::document,
    client::{Client, Issue},
    refusal::not_seen,
};
use crate::{text::Untrusted, trackers::NotEnsured};

/// Gives what is to be said of it.
pub(super) async fn close(client: &Client<'_>, made: &Issue, oldest: &Issue) -> Untrusted {
    match explained_and_closed(client, made, oldest).await {
        Ok(()) => format!("its duplicate {} was closed", made.key).into(),
        Err(no) => format!("{} is its duplicate: close it there ({no})", made.key).into(),
    }
}

async fn explained_and_closed(
    client: &Client<'_>,
    made: &Issue,
    oldest: &Issue,
) -> Result<(), NotEnsured> {
    let words = format!(
        "A duplicate of {}, which was opened by another process at the same time.",
        oldest.key
    );
    let route = ["issue", made.id.as_str(), "comment"];
    let body = json!({ "body": document(&words) });
    let _: Value = client.post(&route, &body).await?;
    let offered = client.transitions(made).await.map_err(not_seen)?;
    let mut ways = offered.into_iter();
    let Some(way) = ways.find(|way| way.to.category() == "done") else {
        return Err(NotEnsured::refused(
            "Jira offers no way to a state that is done",
        ));
    };
    client.transit(made, &way).await
}
