//! Everything that changes in a window, as pieces.

use super::{channel, front::Front, look::Look, panel, piece::Piece, side, sight::Sight, windows};
use crate::store::Filter;

/// Entries of the ops log that are shown.
const ENTRIES: usize = 40;

pub(super) async fn draw(front: &Front, look: &Look) -> Vec<Piece> {
    let office = &front.office;
    let log = office.bot.store.entries(&Filter::newest(ENTRIES)).await;
    let world = office.slack.world();
    let log = log.map_err(|error| format!("{error:#}"));
    let sight = Sight::of(front, look, &world, log);
    let drawn = [
        side::pieces(&sight),
        channel::pieces(&sight),
        windows::home(&sight),
        windows::pieces(&sight),
        panel::pieces(&sight),
    ];
    // A template of our own can't fail but for memory; then what is there stays.
    drawn.into_iter().flatten().flatten().collect()
}
