//! What has come of what people had a check do. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    checks::Applied,
    report::{FindingKey, Verb},
    store::{Effect, EffectState},
    triage::Failed,
};

/// What each finding's check was asked to do about it last, where that came to nothing. `effects`: the oldest first.
pub(super) fn failed(effects: &BTreeMap<FindingKey, Vec<Effect>>) -> BTreeMap<FindingKey, Failed> {
    let newest = effects.iter().filter_map(|(key, all)| {
        let mut remedies = all
            .iter()
            .rev()
            .filter_map(|effect| Some((effect, Verb::named(&effect.order.verb)?)));
        let (effect, verb) = remedies.next()?;
        Some((key.clone(), in_vain(effect, verb)?))
    });
    newest.collect()
}

/// Decisions whose order the other side has taken, and of which it is not known yet what comes.
pub(super) fn asked(effects: &BTreeMap<FindingKey, Vec<Effect>>) -> BTreeSet<(FindingKey, i64)> {
    let all = effects.values().flatten();
    let asked = all.filter(|effect| matches!(effect.result, Some(Applied::Asked { .. })));
    asked
        .map(|effect| (effect.key.clone(), effect.version))
        .collect()
}

/// What somebody took back before anything was sent is no failure.
fn in_vain(effect: &Effect, verb: Verb) -> Option<Failed> {
    effect.first_sent_at?;
    let why = match (effect.state, &effect.result) {
        (EffectState::Failed, _) => effect.last_error.clone()?,
        (EffectState::Done, Some(Applied::Overtaken { said })) => said.clone(),
        _ => return None,
    };
    Some(Failed {
        verb,
        at: effect.order.at,
        why,
    })
}
