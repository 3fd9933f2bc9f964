//! Everything that changes in a window, as pieces.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{channel, front::Front, look::Look, panel, piece::Piece, side, windows};
use crate::{
    ops_log::Entry,
    sandbox::slack::Workspace,
    store::Filter,
};

/// Entries of the ops log that are shown.
const ENTRIES: usize = 40;

/// What is looked at while a page is drawn.
pub(super) struct Sight<'a> {
    pub(super) front: &'a Front,
    pub(super) look: &'a Look,
    pub(super) world: &'a Workspace,
    pub(super) zone: Tz,
    pub(super) now: DateTime<Utc>,
    /// The newest first; an error is for people.
    pub(super) log: Result<Vec<Entry>, String>,
}

pub(super) async fn draw(front: &Front, look: &Look) -> Vec<Piece> {
    let office = &front.office;
    let log = office.bot.store.entries(&Filter::newest(ENTRIES)).await;
    let world = office.slack.world();
    let sight = Sight {
        front,
        look,
        world: &world,
        zone: office.bot.schedule.time_zone,
        now: office.time.now(),
        log: log.map_err(|error| format!("{error:#}")),
    };
    let drawn = [
        side::pieces(&sight),
        channel::pieces(&sight),
        windows::pieces(&sight),
        panel::pieces(&sight),
    ];
    // A template of our own can't fail but for memory; then what is there stays.
    drawn.into_iter().flatten().flatten().collect()
}
