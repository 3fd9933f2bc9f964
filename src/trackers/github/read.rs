//! Where issues stand: many from lists, the rest one by one.

use std::collections::BTreeMap;

use super::{GitHub, client::Client, issue::Place};
use crate::{report::Unknown, trackers::Read};

/// So few are asked for one by one.
const FEW: usize = 3;

pub(super) async fn read(
    github: &GitHub,
    client: &Client,
    ids: &[String],
) -> Result<BTreeMap<String, Read>, Unknown> {
    let mut read = BTreeMap::new();
    let mut wanted: Vec<(&String, Place)> = Vec::new();
    for id in ids {
        match github.place(id) {
            Some(place) => wanted.push((id, place)),
            None => {
                read.insert(id.clone(), Read::Gone);
            }
        }
    }
    if wanted.len() > FEW {
        listed(github, client, &mut wanted, &mut read).await?;
    }
    for (id, place) in wanted {
        let state = match client.issue(&place).await {
            Ok(issue) => Read::Ticket(issue.ticket(&place.repository)),
            Err(failure) => {
                client.is_gone(&place, failure).await?;
                Read::Gone
            }
        };
        read.insert(id.clone(), state);
    }
    Ok(read)
}

/// Takes those out of `wanted` that are among the last changed issues with our label.
async fn listed(
    github: &GitHub,
    client: &Client,
    wanted: &mut Vec<(&String, Place)>,
    read: &mut BTreeMap<String, Read>,
) -> Result<(), Unknown> {
    let mut query = vec![("sort", "updated"), ("direction", "desc")];
    query.extend(github.search_label().map(|label| ("labels", label)));
    let repository = github.repository();
    let pages = wanted.len().div_ceil(100) + 1;
    for number in 1..=pages {
        let page = client.issues(&repository, &query, (number, 100)).await?;
        let is_last = page.is_last;
        for issue in page.items {
            let at = wanted.iter().position(|(_, place)| {
                place.number == issue.number && place.repository == repository
            });
            if let Some(at) = at {
                let (id, place) = wanted.swap_remove(at);
                let ticket = issue.ticket(&place.repository);
                read.insert(id.clone(), Read::Ticket(ticket));
            }
        }
        if is_last || wanted.len() <= FEW {
            break;
        }
    }
    Ok(())
}
