//! What the bot answers to a person who decides, and what the log keeps of it. Pure.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    effects::Delivery,
    ops_log::{Entry, Kind, NewEntry, Sentence},
    render,
    report::{Finding, Verb},
    text::Untrusted,
    ticket::StoredTicket,
    triage::{Action, Decision, Known},
};

/// Of an assignment that is nobody's concern but ours.
pub(super) const OURS_ALONE: &str = " · kept here alone, the other side is not told";

/// An answer, a sentence a line.
pub struct Said {
    pub lines: Vec<Sentence>,
    /// False if nothing was decided: somebody was quicker, or something stands in its way.
    pub accepted: bool,
    /// False if something was decided that is still to be done, or nobody knows whether it was.
    pub settled: bool,
}

impl Said {
    /// What was wanted is done.
    pub(super) fn done(lines: Vec<Sentence>) -> Self {
        Self {
            lines,
            accepted: true,
            settled: true,
        }
    }

    pub(super) fn refusal(line: Sentence) -> Self {
        Self::refused(vec![line])
    }

    pub(super) fn refused(lines: Vec<Sentence>) -> Self {
        Self {
            lines,
            accepted: false,
            settled: true,
        }
    }

    /// Takes in what became of it on the other side.
    pub(super) fn take(&mut self, verb: &str, delivery: &Delivery, zone: Tz, now: DateTime<Utc>) {
        self.accepted = !matches!(delivery, Delivery::Overtaken(_) | Delivery::Refused(_));
        self.settled = !self.accepted || matches!(delivery, Delivery::Done(_));
        self.lines.push(delivered(verb, delivery, zone, now));
    }
}

pub(super) fn already(first: &Decision, zone: Tz, now: DateTime<Utc>) -> Sentence {
    let said = match first.action {
        Action::Undo { version } => Sentence::new()
            .say(format!("decision {version} was already undone by "))
            .name(&first.by)
            .say(format!(", {}", render::moment(first.at, zone, now))),
        _ => Sentence::new()
            .say("already ")
            .then(render::decided(first, zone, now)),
    };
    said.say(": nothing was changed")
}

pub(super) fn overruled(newer: &Decision, zone: Tz, now: DateTime<Utc>) -> Sentence {
    Sentence::new()
        .say("it was ")
        .then(render::decided(newer, zone, now))
        .say(": undo that first, nothing was changed")
}

pub(super) fn recorded(
    decision: &Decision,
    history: &[Decision],
    finding: &Finding,
    entry: &Entry,
    zone: Tz,
) -> Sentence {
    let head = entry.head();
    let said = what(decision, history, zone)
        .say(format!(" · {} ", finding.key))
        .quote(&finding.title);
    confirmed(decision, finding)
        .iter()
        .fold(said, |said, line| said.say(" · ").quote(line))
        .say(format!(" · {head}"))
}

/// What was agreed to with a decision that moves money: whose, how much.
fn confirmed<'a>(decision: &Decision, finding: &'a Finding) -> &'a [Untrusted] {
    let Action::Remedy { verb } = decision.action else {
        return &[];
    };
    let remedy = finding.remedy(verb.as_str());
    remedy
        .filter(|_| verb.moves_money())
        .map_or(&[], |remedy| &remedy.confirm)
}

/// What is to be read before the check does that, if anything is: it can't be taken back.
pub(super) fn unsure(finding: &Finding, verb: Verb) -> Option<Vec<Sentence>> {
    let remedy = finding.remedy(verb.as_str())?;
    if remedy.confirm.is_empty() && !verb.moves_money() {
        return None;
    }
    let mut lines = vec![
        Sentence::new()
            .quote(remedy.label.as_str())
            .say(format!(" · {} ", finding.key))
            .quote(&finding.title),
    ];
    lines.extend(
        remedy
            .confirm
            .iter()
            .map(|line| Sentence::new().quote(line)),
    );
    if verb.moves_money() {
        lines.push(Sentence::new().say(render::MOVES_MONEY));
    }
    let end = "nothing was done yet: add `--yes` to have it done";
    lines.push(Sentence::new().say(end));
    Some(lines)
}

/// What became of the decision on the other side.
fn delivered(verb: &str, delivery: &Delivery, zone: Tz, now: DateTime<Utc>) -> Sentence {
    match (render::not_done(verb), delivery) {
        (Some(not), Delivery::Overtaken(why) | Delivery::Refused(why)) => {
            return Sentence::new().say(not).say(": ").quote(why);
        }
        (Some(_), Delivery::NeedsHuman(why)) => {
            return Sentence::new()
                .say("whether it was done is for a human to find out: ")
                .quote(&why.reason);
        }
        _ => {}
    }
    match delivery {
        Delivery::Done(said) | Delivery::Asked(said) => Sentence::new().quote(said),
        Delivery::Overtaken(said) => Sentence::new()
            .say("taken back, and nothing was changed: ")
            .quote(said),
        Delivery::Refused(why) => Sentence::new()
            .say("taken back, because the other side refuses it: ")
            .quote(why),
        Delivery::Later {
            why,
            not_before,
            is_sent,
        } => {
            let (said, again) = if *is_sent {
                ("not confirmed by the other side yet: ", "looks there before it tries")
            } else {
                ("put off, nothing was sent: ", "tries")
            };
            Sentence::new().say(said).quote(&why.reason).say(format!(
                "; the first command after {} {again} again",
                render::moment(*not_before, zone, now)
            ))
        }
        Delivery::NeedsHuman(why) => Sentence::new()
            .say("the other side needs a human: ")
            .quote(&why.reason),
        Delivery::Elsewhere => Sentence::new().say(
            "kept for the other side, and not tried yet: what was asked earlier goes first, or another process has it",
        ),
    }
}

/// All that is known and decided about a finding.
pub(super) fn shown(
    known: &Known,
    history: &[Decision],
    tickets: &[StoredTicket],
    zone: Tz,
    now: DateTime<Utc>,
) -> Said {
    let finding = &known.finding;
    let moment = |at| render::moment(at, zone, now);
    let mut lines = vec![
        Sentence::new()
            .say(format!("{} {} ", finding.severity, finding.key))
            .quote(&finding.title),
        Sentence::new().say("rule: ").quote(&finding.rule),
        Sentence::new().say(format!(
            "since {}, last seen {}",
            moment(known.since),
            moment(known.last_seen)
        )),
    ];
    let mut named = |name: &str, text: Option<&str>| {
        lines.extend(text.map(|text| Sentence::new().say(format!("{name}: ")).quote(text)))
    };
    named("began", finding.began_at.map(moment).as_deref());
    named("owner", finding.owner.as_ref().map(Untrusted::as_str));
    named("link", finding.link.as_ref().map(url::Url::as_str));
    named("runbook", finding.runbook.as_ref().map(url::Url::as_str));
    finding.evidence.iter().for_each(|line| {
        let line = line.as_str();
        named("seen", Some(line.strip_prefix("seen: ").unwrap_or(line)));
    });
    lines.extend(finding.remedies.iter().filter_map(|remedy| {
        let verb = Verb::named(&remedy.verb)?.as_str();
        let line = Sentence::new()
            .say("can be done: ")
            .quote(remedy.label.as_str());
        Some(line.say(format!(", with `triage {verb} {}`", finding.key)))
    }));
    lines.extend(tickets.iter().map(|ticket| {
        Sentence::new()
            .say("ticket: ")
            .then(render::ticket::line(ticket, zone, now))
    }));
    lines.extend(history.iter().map(|decision| {
        let line = Sentence::new()
            .say(format!("decision {}: ", decision.version))
            .then(render::decided(decision, zone, now));
        decision
            .action
            .remark()
            .into_iter()
            .fold(line, |line, remark| line.say(": ").quote(remark))
    }));
    Said::done(lines)
}

/// The decision's line in the ops log, whose times are UTC.
pub(super) fn entry(decision: &Decision, history: &[Decision], about: Sentence) -> NewEntry {
    let text = what(decision, history, Tz::UTC)
        .say(format!(" · {} ", decision.key))
        .then(about);
    NewEntry {
        at: decision.at,
        kind: Kind::Decision,
        subject: decision.key.to_string(),
        by: decision.by.clone(),
        text: decision
            .action
            .remark()
            .into_iter()
            .fold(text, |text, remark| text.say(" · ").quote(remark)),
        checks: vec![decision.key.check().to_owned()],
    }
}

/// "snoozed until Tue 24 Nov 09:00 UTC", "undone: resolved by anna, ...".
fn what(decision: &Decision, history: &[Decision], zone: Tz) -> Sentence {
    let undone = |version| history.iter().find(|earlier| earlier.version == version);
    match decision.action {
        Action::Undo { version } => match undone(version) {
            Some(undone) => {
                Sentence::new()
                    .say("undone: ")
                    .then(render::decided(undone, zone, decision.at))
            }
            None => Sentence::new().say("undone"),
        },
        _ => render::action(&decision.action, zone, decision.at),
    }
}
