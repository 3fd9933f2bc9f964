//! What was read again only in part is no milder than an earlier look found it. Pure.

use super::At;
use crate::{
    checks::{Earlier, payments::subject::Subject},
    report::Finding,
    text::thousands,
};

/// Joins a finding with what an earlier look said of it, unless all of that was read again; a glance reads only news.
pub(super) fn join(at: &At<'_>, earlier: &[Earlier], is_glance: bool, finding: &mut Finding) {
    let known = earlier.iter().find(|it| it.finding.key == finding.key);
    let Some(Earlier {
        finding: before,
        is_settled,
    }) = known
    else {
        return;
    };
    if is_glance && finding.remedies.is_empty() {
        // A remedy reads what it is for once more before it does anything.
        finding.remedies.clone_from(&before.remedies);
    }
    if *is_settled || !(is_glance || is_partly_read(at, before)) {
        return;
    }
    finding.began_at = before.began_at.into_iter().chain(finding.began_at).min();
    let counted = (is_counted(before) && before.magnitude > finding.magnitude)
        .then(|| format!("counted {}", thousands(before.magnitude)));
    let called =
        (before.severity > finding.severity).then(|| format!("called it {}", before.severity));
    finding.magnitude = finding.magnitude.max(before.magnitude);
    finding.severity = finding.severity.max(before.severity);
    if let Some(counted) = &counted {
        let title = finding.title.as_str();
        finding.title = format!("{title}; an earlier look {counted}").into();
    }
    let said: Vec<String> = counted.into_iter().chain(called).collect();
    if !said.is_empty() {
        let (rule, said) = (finding.rule.as_str(), said.join(" and "));
        finding.rule =
            format!("{rule}; an earlier look {said}, and not all of it was read again").into();
    }
}

/// Whether its number is that of its title.
fn is_counted(finding: &Finding) -> bool {
    let kind = Subject::of(&finding.key).map(|subject| subject.kind);
    matches!(kind.as_deref(), Some("declines" | "webhooks"))
}

fn is_partly_read(at: &At<'_>, before: &Finding) -> bool {
    let subject = Subject::of(&before.key);
    let Some((began, subject)) = before.began_at.zip(subject) else {
        return false;
    };
    let seen = at.seen;
    let read_since = match subject.kind.as_str() {
        "declines" => seen.failures.complete_since,
        "webhooks" | "endpoint" => {
            let reach = seen.reach.filter(|_| seen.undelivered.is_whole());
            reach.map(|reach| reach.undelivered)
        }
        _ => return false,
    };
    read_since.is_none_or(|since| began < since)
}
