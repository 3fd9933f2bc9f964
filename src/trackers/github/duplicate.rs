//! Closes an issue that was made just now, where another process had made one meanwhile.

use super::{
    GitHub,
    client::Client,
    issue::{Issue, Place},
};
use crate::text::Untrusted;

/// Gives what is to be said of it.
pub(super) async fn close(
    github: &GitHub,
    client: &Client,
    made: &Issue,
    oldest: &Issue,
) -> Untrusted {
    let repository = github.repository();
    let place = Place {
        repository: repository.clone(),
        number: made.number,
    };
    let words = format!(
        "A duplicate of #{}, which was opened by another process at the same time.",
        oldest.number
    );
    let closed = match client.comment(&place, &words).await {
        Ok(()) => client.close(&place).await,
        Err(no) => Err(no),
    };
    match closed {
        Ok(_) => format!("its duplicate {place} was closed").into(),
        Err(no) => format!("{place} is its duplicate: close it there ({no})").into(),
    }
}
