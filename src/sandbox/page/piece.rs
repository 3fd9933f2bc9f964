//! A page as a list of pieces, of which only those are sent again that are no longer as they were. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// A piece of the page, whose HTML is one element with this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The id of the element that it stands in.
    pub(super) region: &'static str,
    pub(super) id: String,
    pub(super) html: String,
}

/// What makes one list of pieces of another.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) gone: Vec<String>,
    /// In the order of the page.
    pub(super) put: Vec<Put>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Put {
    region: &'static str,
    id: String,
    html: String,
    /// The piece of the same region that it stands behind; None: it is the first.
    after: Option<String>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.put.is_empty()
    }

    pub(super) fn between(old: &[Piece], new: &[Piece]) -> Self {
        let stays: BTreeSet<&str> = new.iter().map(|piece| piece.id.as_str()).collect();
        let gone = old.iter().filter(|piece| !stays.contains(&*piece.id));
        let known: BTreeMap<&str, &Piece> =
            old.iter().map(|piece| (piece.id.as_str(), piece)).collect();
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        let mut put = Vec::new();
        for piece in new {
            let after = last.insert(piece.region, &piece.id);
            if known.get(piece.id.as_str()).is_none_or(|it| *it != piece) {
                put.push(Put {
                    region: piece.region,
                    id: piece.id.clone(),
                    html: piece.html.clone(),
                    after: after.map(str::to_owned),
                });
            }
        }
        Self {
            gone: gone.map(|piece| piece.id.clone()).collect(),
            put,
        }
    }
}

/// The HTML of one region.
pub(super) fn region(pieces: &[Piece], name: &str) -> String {
    let pieces = pieces.iter().filter(|piece| piece.region == name);
    pieces.map(|piece| piece.html.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(pieces: &[(u8, u8)]) -> Vec<Piece> {
        let mut seen = BTreeSet::new();
        pieces
            .iter()
            .filter(|(id, _)| seen.insert(*id))
            .map(|(id, html)| Piece {
                region: if id % 2 == 0 { "messages" } else { "panel" },
                id: id.to_string(),
                html: html.to_string(),
            })
            .collect()
    }

    /// As the script does it.
    fn apply(page: &mut Vec<Piece>, change: &Change) {
        page.retain(|piece| !change.gone.contains(&piece.id));
        for put in &change.put {
            if let Some(piece) = page.iter_mut().find(|piece| piece.id == put.id) {
                piece.html.clone_from(&put.html);
                continue;
            }
            let place = match &put.after {
                Some(after) => {
                    page.iter()
                        .position(|it| it.id == *after)
                        .expect("it stands there")
                        + 1
                }
                None => 0,
            };
            let piece = Piece {
                region: put.region,
                id: put.id.clone(),
                html: put.html.clone(),
            };
            page.insert(place, piece);
        }
    }

    proptest! {
        #[test]
        fn a_change_makes_the_new_page_of_the_old(
            old in proptest::collection::vec((0..12u8, 0..3u8), 0..10),
            new in proptest::collection::vec((0..12u8, 0..3u8), 0..10),
        ) {
            let (mut old, mut new) = (page(&old), page(&new));
            // What stays keeps its order, as messages and entries of a log do.
            old.sort_by_key(|piece| piece.id.clone());
            new.sort_by_key(|piece| piece.id.clone());
            let change = Change::between(&old, &new);
            apply(&mut old, &change);
            for name in ["messages", "panel"] {
                prop_assert_eq!(region(&old, name), region(&new, name));
            }
            prop_assert!(Change::between(&new, &new).is_empty());
        }
    }
}
