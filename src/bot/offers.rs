//! What can be decided about a finding as it stands. Pure.

use crate::{
    ops_log::Sentence,
    report::{Finding, Verb},
    triage::Action,
};

pub(super) const READS_OTHERWISE: &str = "what you read has changed since: open it again and read what would be done now; nothing was changed";

/// Whether what somebody has confirmed is not what would be done now.
pub(super) fn reads_otherwise(finding: &Finding, verb: Verb, digest: &str) -> bool {
    let now = finding.remedy(verb.as_str());
    now.is_some_and(|now| now.digest() != digest)
}

/// Why the finding's check can't do that about it, if it is for the check to do.
pub(super) fn not_offered(finding: &Finding, action: &Action) -> Option<Sentence> {
    let name = action.name();
    let is_offered = match action {
        Action::Resolve { .. } => finding.can_be_resolved,
        Action::Archive | Action::Remedy { .. } => offers(finding, name),
        _ => true,
    };
    if is_offered {
        return None;
    }
    let key = &finding.key;
    let why = match action {
        Action::Resolve { .. } => format!(
            "`{key}` can't be resolved from here: nothing would change on the other side. Once it was dealt with, `triage handle {key} NOTE` says so; nothing was changed"
        ),
        Action::Archive => {
            format!("`{key}` can't be archived on the other side: snooze it instead")
        }
        _ => format!(
            "`{name}` is nothing that can be done about `{key}` from here: `triage show {key}` says what is known of it"
        ),
    };
    Some(Sentence::new().say(why))
}

pub(super) fn offers(finding: &Finding, verb: &str) -> bool {
    finding.remedy(verb).is_some()
}
