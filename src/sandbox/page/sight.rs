//! What is looked at while a page is drawn.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    blocks::Scene,
    front::Front,
    look::{Look, name_of},
};
use crate::{
    ops_log::Entry,
    sandbox::slack::{ON_CALL, Workspace},
};

/// One window's look at the sandbox, at one moment.
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

impl<'a> Sight<'a> {
    pub(super) fn of(
        front: &'a Front,
        look: &'a Look,
        world: &'a Workspace,
        log: Result<Vec<Entry>, String>,
    ) -> Self {
        Self {
            front,
            look,
            world,
            zone: front.office.bot.schedule.time_zone,
            now: front.office.time.now(),
            log,
            people: named(world.users.keys(), |id| name_of(world, id)),
            channels: named(world.channels.keys(), |id| world.channels[id].name.clone()),
            groups: named(world.groups.keys(), |id| match id.as_str() {
                ON_CALL => "on-call".to_owned(),
                id => id.to_owned(),
            }),
        }
    }

    pub(super) fn scene<'s>(
        &'s self,
        action: &'s str,
        hidden: &'s [(&'s str, String)],
    ) -> Scene<'s> {
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

fn named<'a>(
    ids: impl Iterator<Item = &'a String>,
    name: impl Fn(&String) -> String,
) -> Vec<(String, String)> {
    ids.map(|id| (id.clone(), name(id))).collect()
}
