//! What has come of a decision on the other side, as a row or a view says it.

use chrono_tz::Tz;

use super::{Delivery, rich::Rich, text::fit};
use crate::{render::not_done, report::Finding, ticket::StoredTicket, triage::Row};

/// Bytes that words from the other side may take.
const REMARK: usize = 160;
const REASON: usize = 240;

/// Fitted so that what to do now, the last part of what went wrong, is kept before the request that was tried.
fn brief(why: &str, limit: usize) -> String {
    let Some((told, advice)) = why.rsplit_once("; ").filter(|_| why.len() > limit) else {
        return fit(why, limit);
    };
    let came_back = match told.split_once(": ") {
        Some((tried, came_back)) if tried.contains(" /") => came_back,
        _ => told,
    };
    match limit.checked_sub(advice.len() + 2) {
        Some(room) if room > 20 => format!("{}; {advice}", fit(came_back, room)),
        _ => fit(advice, limit),
    }
}

/// What has come of the decision on the other side.
pub(super) fn delivered(finding: &Finding, delivery: &Delivery, zone: Tz) -> Rich {
    match delivery {
        Delivery::Pending { verb } => Rich::new().quote(&under_way(finding, verb), REMARK),
        Delivery::Done(said) | Delivery::Asked(said) | Delivery::Ticketed { said, .. } => {
            Rich::new().quote(said.as_str(), REMARK)
        }
        Delivery::TakenBack { verb, why } => {
            let said = match not_done(verb) {
                Some(not) => format!(" {not}: "),
                None => format!(" {} was taken back: ", wish(verb)),
            };
            Rich::new()
                .emoji("warning")
                .say(&said)
                .say(&brief(why.as_str(), REASON))
        }
        Delivery::Retrying { sent, why, at } => {
            let (said, again) = if *sent {
                (" outcome not known yet: ", "; looking again ")
            } else {
                (" not done on the other side yet: ", "; trying again ")
            };
            Rich::new()
                .emoji("hourglass_flowing_sand")
                .say(said)
                .say(&brief(why.as_str(), REASON))
                .say(again)
                .date(*at, zone)
        }
        Delivery::NeedsHuman(why) => Rich::new()
            .emoji("warning")
            .say(" the other side needs a human: ")
            .say(&brief(why.as_str(), REASON)),
    }
}

fn wish(verb: &str) -> &'static str {
    match verb {
        "resolve" => "resolving it",
        "assign" => "assigning it",
        "archive" => "archiving it",
        "undo" => "the undo",
        _ => "that",
    }
}

/// "resolving in Sentry…": the remedy's label in its continuous form.
fn under_way(finding: &Finding, verb: &str) -> String {
    let doing = match verb {
        "pay" => return "paying again…".to_owned(),
        "send" => return "sending again…".to_owned(),
        "resend" => return "resending…".to_owned(),
        "replay" => return "replaying…".to_owned(),
        "ticket" => return "opening a ticket…".to_owned(),
        "resolve" => "resolving",
        "assign" => "assigning",
        "archive" => "archiving",
        "undo" => "undoing it",
        _ => "carrying it out",
    };
    let place = finding
        .remedy(verb)
        .and_then(|remedy| remedy.label.split_once(' '))
        .map_or("on the other side", |(_, place)| place);
    format!("{doing} {place}…")
}

/// `⚠ not paid again, yesterday at 09:12: declined: insufficient_funds`.
pub(super) fn failed(row: &Row, zone: Tz) -> Option<Rich> {
    let failed = row.failed.as_ref()?;
    let not = not_done(failed.verb.as_str()).unwrap_or("not done");
    let line = Rich::new().emoji("warning").say(&format!(" {not}, "));
    let line = line.date(failed.at, zone).say(": ");
    Some(line.say(&brief(failed.why.as_str(), REASON)))
}

/// Whether the row tells of it anyway, and of its time.
pub(super) fn is_said(row: &Row, delivery: &Delivery) -> bool {
    let failed = row.failed.as_ref().map(|failed| failed.verb.as_str());
    matches!(delivery, Delivery::TakenBack { verb, .. } if failed == Some(verb))
}

/// What a delivery says beyond the ticket's own words.
pub(super) fn beside(ticket: Option<&StoredTicket>, delivery: &Delivery) -> Option<Delivery> {
    match (ticket, delivery) {
        (Some(_), Delivery::Pending { verb }) if verb == "ticket" => None,
        (Some(_), Delivery::Ticketed { remark, .. }) => remark.clone().map(Delivery::Done),
        _ => Some(delivery.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_kept_before_the_request_that_was_tried() {
        let why = "Sentry PUT /api/0/organizations/acme/issues/4502/: answered 403 (\"You do not have permission to \
                   perform this action.\"); give the token in SENTRY_AUTH_TOKEN the scope `event:write`";
        assert_eq!(
            brief(why, 120),
            "answered 403 (\"You do not have permission to perform thi…; give the token in SENTRY_AUTH_TOKEN the scope `event:write`"
        );
        assert_eq!(brief(why, 400), why);
        assert!(brief(why, 30).len() <= 30);
    }
}
