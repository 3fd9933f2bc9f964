//! Pure: a triaged report as terminal text, Markdown, JSON or Slack's blocks. What the outlets share stands here.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::{
    ops_log::Sentence,
    report::{Beyond, CheckReport, Outcome, Report, Severity},
    text::{count, cut, thousands},
    ticket::LOCAL,
    triage::{Action, Decision, Failed, Return, Row, Standing, State, Triaged},
};

pub mod json;
pub mod markdown;
pub mod slack;
pub mod terminal;
pub mod ticket;

/// Rows that a section shows before the rest is counted.
pub const SHOWN: usize = 20;

/// "3 need you, 1 unknown, 1 in hand, 2 ok": the one line of a round. Neither what is unknown nor what somebody has in
/// hand counts as ok.
pub fn verdict(triaged: &Triaged) -> String {
    let in_hand = triaged.in_hand().count();
    let parts = [
        (triaged.needs_you.len(), need(triaged.needs_you.len())),
        (triaged.unknown.len(), "unknown"),
        (in_hand, "in hand"),
        (triaged.ok().count(), "ok"),
    ];
    counted(&parts).unwrap_or_else(|| "nothing is switched on".to_owned())
}

fn need(findings: usize) -> &'static str {
    if findings == 1 {
        "needs you"
    } else {
        "need you"
    }
}

/// "2 new, 1 worse, 3 gone"; nothing if all stands as it did.
pub fn changes(triaged: &Triaged) -> Option<String> {
    let in_state = |state| triaged.in_state(state).count();
    let parts = [
        (in_state(State::New), "new"),
        (in_state(State::Worse), "worse"),
        (in_state(State::Better), "better"),
        (triaged.gone.len() - triaged.gone_since(), "gone"),
        (triaged.gone_since(), "no longer found"),
    ];
    counted(&parts)
}

/// What is counted and not listed: "3 handled, 14 low".
pub fn quiet(triaged: &Triaged) -> Option<String> {
    counted(&[
        (triaged.handled.len(), "handled"),
        (triaged.low.len(), "low"),
    ])
}

/// The numbers that are not 0, each with its word.
fn counted(parts: &[(usize, &str)]) -> Option<String> {
    let said: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", thousands(*n as u64)))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// How many of the rows have which severity: "73 high, 4,800 medium".
pub fn severities<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut counts = Severity::ALL.map(|severity| (0, severity.as_str()));
    for row in rows {
        counts
            .iter_mut()
            .filter(|(_, name)| *name == row.finding.severity.as_str())
            .for_each(|(n, _)| *n += 1);
    }
    counted(&counts).unwrap_or_default()
}

/// "new", "worse, for 3 d", "for 2 h".
pub fn age(row: &Row, now: DateTime<Utc>) -> String {
    let standing_for = span(now - row.since);
    if let Some(as_of) = row.as_of {
        let why = match as_of.beyond {
            Some(Beyond::TooOld) => {
                "too old to be looked at again, so it stays until it is handled"
            }
            Some(Beyond::LeftOut) => {
                "not looked at any more, as configured, so it stays until it is handled"
            }
            None => "not looked at now",
        };
        return format!(
            "for {standing_for}, as it was {} ago: {why}",
            span(now - as_of.at)
        );
    }
    match row.state {
        State::New => "new".to_owned(),
        State::Worse => format!("worse, for {standing_for}"),
        State::Better => format!("better, for {standing_for}"),
        State::Standing => format!("for {standing_for}"),
    }
}

/// "5 checks in 1.4 s".
pub fn took(report: &Report) -> String {
    let took = (report.finished_at - report.started_at)
        .num_milliseconds()
        .max(0);
    let on = report.checks.iter().filter(|it| it.outcome != Outcome::Off);
    format!(
        "{} in {}.{} s",
        count(on.count(), "check"),
        took / 1000,
        took % 1000 / 100
    )
}

/// "40 s", "12 min", "5 h", "3 d".
pub fn span(time: TimeDelta) -> String {
    match time.num_seconds() {
        s if s < 60 => format!("{} s", s.max(0)),
        s if s < 3_600 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// "Mon 23 Nov 09:00 CET"; with the year once it is another one.
pub fn moment(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let format = if at.year() == now.year() {
        "%a %-d %b %H:%M %Z"
    } else {
        "%a %-d %b %Y %H:%M %Z"
    };
    at.format(format).to_string()
}

/// "assigned to anna", "snoozed until Mon 23 Nov 09:00 CET".
pub fn action(action: &Action, zone: Tz, now: DateTime<Utc>) -> Sentence {
    match action {
        Action::Acknowledge { .. } => Sentence::new().say("acknowledged"),
        Action::Assign { to } => Sentence::new().say("assigned to ").name(to),
        Action::Snooze { until } => {
            Sentence::new().say(format!("snoozed until {}", moment(*until, zone, now)))
        }
        Action::Resolve { .. } => Sentence::new().say("resolved"),
        Action::Archive => Sentence::new().say("archived until it escalates"),
        Action::Handle { .. } => Sentence::new().say("handled"),
        Action::Remedy { verb } => Sentence::new().say(format!("set {}", verb.decided())),
        Action::Ticket {
            tracker,
            title,
            again,
            ..
        } => {
            // Elsewhere, it is there only once its tracker has answered.
            let done = match (tracker == LOCAL, again) {
                (true, false) => "opened",
                (true, true) => "reopened",
                (false, false) => "asked for",
                (false, true) => "asked to be reopened",
            };
            let place = ticket::place(tracker);
            Sentence::new()
                .say(format!("ticket {done} {place}: "))
                .quote(title)
        }
        Action::Note { .. } => Sentence::new().say("noted"),
        Action::Undo { version } => Sentence::new().say(format!("decision {version} undone")),
    }
}

/// What everybody has to read before a remedy that moves money.
pub const MOVES_MONEY: &str =
    "this charges the customer; it needs the permission `money`, and the ops log keeps who did it";

/// What is said of an order that changed nothing, where it is not the decision alone that was taken back.
pub fn not_done(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "pay" => "not paid again",
        "send" => "not sent again",
        "resend" => "not resent",
        "replay" => "not replayed",
        "ticket" => "no ticket",
        _ => return None,
    })
}

/// Graphemes that a row gives to why a remedy came to nothing.
const WHY: usize = 120;

/// `not paid again, Mon 23 Nov 09:00 CET: declined: insufficient_funds`.
pub fn failed(failed: &Failed, zone: Tz, now: DateTime<Utc>) -> Sentence {
    Sentence::new()
        .say(not_done(failed.verb.as_str()).unwrap_or("not done"))
        .say(format!(", {}: ", moment(failed.at, zone, now)))
        .quote(cut(failed.why.as_str(), WHY))
}

/// With whom and when: "assigned to anna by ben, Mon 23 Nov 09:00 CET".
pub fn decided(decision: &Decision, zone: Tz, now: DateTime<Utc>) -> Sentence {
    let what = match &decision.action {
        // Its title is the finding's, or stands in the tracker.
        Action::Ticket { again, .. } => Sentence::new().say(ticket::done(*again)),
        other => action(other, zone, now),
    };
    what.say(" by ")
        .name(&decision.by)
        .say(format!(", {}", moment(decision.at, zone, now)))
}

/// Why a row is where it is, if anybody decided anything about it.
pub fn standing(row: &Row, zone: Tz, now: DateTime<Utc>) -> Option<Sentence> {
    match &row.standing {
        Standing::Open => row
            .finding
            .owner
            .as_ref()
            .map(|owner| Sentence::new().say("assigned to ").quote(owner)),
        Standing::Handled(decision) => Some(decided(decision, zone, now)),
        Standing::Back(decision, Return::Worse) => Some(
            Sentence::new()
                .say("worse since it was ")
                .then(decided(decision, zone, now)),
        ),
        Standing::Back(decision, Return::NotDone) => Some(
            Sentence::new()
                .say("not done yet, as far as is known: ")
                .then(decided(decision, zone, now)),
        ),
        Standing::Back(decision, Return::SeenAgain) => Some(
            Sentence::new()
                .say("there again since it was ")
                .then(decided(decision, zone, now)),
        ),
    }
}

/// The round's line in the ops log: what was checked and found, and how many decisions went before it.
pub fn log_line(triaged: &Triaged, decided: u64) -> Sentence {
    let mut line = Sentence::default().say(verdict(triaged));
    for check in &triaged.report.checks {
        line = line
            .say(format!(" · {} ", check.name))
            .say(checked(check, triaged));
    }
    if let Some(changes) = changes(triaged) {
        line = line.say(format!(" · {changes}"));
    }
    if let Some(done) = counted(&[
        (triaged.handled.len(), "handled"),
        (triaged.snoozed.len(), "snoozed"),
        (triaged.low.len(), "low"),
    ]) {
        line = line.say(format!(" · {done}"));
    }
    if decided > 0 {
        line = line.say(format!(
            " · {} since the last round",
            count(usize::try_from(decided).unwrap_or(usize::MAX), "decision")
        ));
    }
    line
}

/// What one check looked at and how it came out, in a few words.
fn checked(check: &CheckReport, triaged: &Triaged) -> String {
    let open = triaged
        .needs_you
        .iter()
        .filter(|row| row.finding.key.check() == check.name)
        .count();
    let summary = if check.summary.is_empty() {
        String::new()
    } else {
        format!(" ({})", check.summary.as_str())
    };
    match &check.outcome {
        Outcome::Off => "off".to_owned(),
        Outcome::Unknown(reasons) => {
            let cause = reasons
                .first()
                .map_or("unknown", |reason| reason.cause.as_str());
            format!("UNKNOWN: {cause}{summary}")
        }
        Outcome::Looked if open > 0 => {
            format!("{} {}{summary}", thousands(open as u64), need(open))
        }
        Outcome::Looked if triaged.in_hand().any(|name| name == check.name) => {
            format!("in hand{summary}")
        }
        Outcome::Looked => format!("ok{summary}"),
    }
}
