//! Everything that changes in a window, as pieces.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    blocks::Scene,
    channel,
    front::Front,
    look::{Look, name_of},
    panel,
    piece::Piece,
    side, windows,
};
use crate::{
    ops_log::Entry,
    sandbox::slack::{ON_CALL, Workspace},
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
    people: Vec<(String, String)>,
    channels: Vec<(String, String)>,
    groups: Vec<(String, String)>,
}

impl Sight<'_> {
    pub(super) fn scene<'a>(
        &'a self,
        action: &'a str,
        hidden: &'a [(&'a str, String)],
    ) -> Scene<'a> {
        Scene {
            people: &self.people,
            channels: &self.channels,
            groups: &self.groups,
            zone: self.zone,
            now: self.now,
            me: &self.look.me,
            action,
            hidden,
            enabled: true,
        }
    }
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
        people: named(world.users.keys(), |id| name_of(&world, id)),
        channels: named(world.channels.keys(), |id| world.channels[id].name.clone()),
        groups: named(world.groups.keys(), |id| match id.as_str() {
            ON_CALL => "on-call".to_owned(),
            id => id.to_owned(),
        }),
    };
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

fn named<'a>(
    ids: impl Iterator<Item = &'a String>,
    name: impl Fn(&String) -> String,
) -> Vec<(String, String)> {
    ids.map(|id| (id.clone(), name(id))).collect()
}
