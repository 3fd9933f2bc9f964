//! What the database knows of a message, as the renderer wants it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use url::Url;

use crate::{
    bot::{Bot, Judged, Pictured},
    checks::Applied,
    render::slack::{self, Delivery, Done, Message, Picture, Stage},
    report::FindingKey,
    store::{Effect, EffectState, MessageState, RoundState, StoredMessage},
    text::Untrusted,
    triage::{Action, Decision, Person},
};

/// A summary that comes later than this says so.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// The message of a round, as it is to stand now.
pub(super) fn draw(pictured: &Pictured, bot: &Bot, workspace: &Url) -> Message {
    with_picture(pictured, bot, workspace, slack::message)
}

/// The findings that the message of a round shows.
pub(super) fn shown(pictured: &Pictured, bot: &Bot, workspace: &Url) -> Vec<FindingKey> {
    with_picture(pictured, bot, workspace, slack::shown)
}

fn with_picture<T>(
    pictured: &Pictured,
    bot: &Bot,
    workspace: &Url,
    render: impl FnOnce(&Picture<'_>) -> T,
) -> T {
    let (round, order) = (&pictured.round, &pictured.round.order);
    let (message, now) = (&pictured.message, (bot.clock)());
    let newer = (message.state == MessageState::Old)
        .then(|| {
            let newer = pictured.newer.as_ref();
            newer.and_then(|newer| link(newer, workspace))
        })
        .map(|link| {
            link.or_else(|| {
                workspace
                    .join(&format!("archives/{}", message.channel))
                    .ok()
            })
        })
        .and_then(|link| link.or_else(|| Some(workspace.clone())));
    let posted_at = match message.ts {
        Some(_) => message.sent_at.or(message.first_sent_at).unwrap_or(now),
        // It is seen from now on, however long it was tried.
        None => now,
    };
    let schedule = &bot.schedule;
    let progress = bot.progress_of(round);
    let pruned = Untrusted::from("its run is no longer kept; `/ops daily` shows how things stand");
    let failed = round.error.clone().unwrap_or_default();
    let (versions, deliveries, notes) = match &pictured.done {
        Some(done) => (done.versions(), deliveries(done), done.notes()),
        None => Default::default(),
    };
    let next = round.finished_at.and_then(|ended| schedule.next(ended));
    let stage = match (&pictured.done, round.state) {
        (Some(done), _) => Stage::Done(Done {
            triaged: &done.triaged,
            head: done.head.as_ref(),
            versions: &versions,
            deliveries: &deliveries,
            notes: &notes,
            tickets: &done.tickets,
            only: order.only.as_deref().unwrap_or_default(),
            newer: newer.as_ref(),
        }),
        (None, RoundState::Done) => Stage::Failed(&pruned),
        (None, RoundState::Failed) => Stage::Failed(&failed),
        (None, _) => Stage::Running(&progress),
    };
    render(&Picture {
        message: &pictured.message.id,
        asked_by: order.by.as_ref(),
        started_at: pictured
            .done
            .as_ref()
            .map_or(order.at, |done| done.triaged.report.started_at),
        // Posted anew, it was seen before.
        late: order
            .due_at
            .filter(|due| message.lost_ts.is_none() && posted_at - *due > LATE),
        missed: &order.missed,
        zone: schedule.time_zone,
        next,
        stage,
    })
}

/// Where a message stands in the browser, if Slack has it.
pub(super) fn link(message: &StoredMessage, workspace: &Url) -> Option<Url> {
    let ts = message.ts.as_ref()?.replace('.', "");
    workspace
        .join(&format!("archives/{}/p{ts}", message.channel))
        .ok()
}

/// How far the newest decisions have come on the other side.
pub(super) fn deliveries(done: &Judged) -> BTreeMap<FindingKey, Delivery> {
    let effects = done.effects.iter();
    effects
        .filter(|(key, effect)| {
            let history = done.history.get(*key).map_or(&[][..], Vec::as_slice);
            effect.is_open() || is_of_newest(effect, history)
        })
        .map(|(key, effect)| (key.clone(), delivery(effect)))
        .collect()
}

/// Whether an effect belongs to the newest decision, or to the one that was taken back because of it.
fn is_of_newest(effect: &Effect, history: &[Decision]) -> bool {
    let newest = history
        .iter()
        .rfind(|decision| !matches!(decision.action, Action::Note { .. }));
    newest.is_some_and(|newest| {
        let withdrawn = Action::Undo {
            version: effect.version,
        };
        newest.version == effect.version
            || (newest.action == withdrawn && newest.by == Person::program())
    })
}

pub(super) fn delivery(effect: &Effect) -> Delivery {
    let error = || effect.last_error.clone().unwrap_or_default();
    match (effect.state, &effect.result) {
        (EffectState::Done, Some(Applied::Done { said, .. })) => Delivery::Done(said.clone()),
        (EffectState::Done, Some(Applied::Ticketed { said, remark, .. })) => Delivery::Ticketed {
            said: said.clone(),
            remark: remark.clone(),
        },
        (EffectState::Done, Some(Applied::Asked { said })) => Delivery::Asked(said.clone()),
        (EffectState::Done, Some(Applied::Overtaken { said })) => Delivery::TakenBack {
            verb: effect.order.verb.clone(),
            why: said.clone(),
        },
        (EffectState::Done, None) => Delivery::Done(Untrusted::default()),
        (EffectState::Failed, _) => Delivery::TakenBack {
            verb: effect.order.verb.clone(),
            why: error(),
        },
        (EffectState::NeedsHuman, _) => Delivery::NeedsHuman(error()),
        (EffectState::Waiting, _) if effect.last_error.is_some() => Delivery::Retrying {
            sent: effect.first_sent_at.is_some(),
            why: error(),
            at: effect.not_before,
        },
        (EffectState::Waiting | EffectState::Running, _) => Delivery::Pending {
            verb: effect.order.verb.clone(),
        },
    }
}
