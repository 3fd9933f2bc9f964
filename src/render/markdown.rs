//! The report as Markdown, to be pasted where people write. Text from outside can forge neither a line nor a link.

use chrono_tz::Tz;

use super::{SHOWN, age, changes, failed, moment, quiet, severities, standing, ticket, verdict};
use crate::{
    ops_log::Sentence,
    text::thousands,
    ticket::Tickets,
    triage::{Gone, Row, Triaged},
};

/// The whole report; `log` is the head of the ops log after it, `all` lists every row.
pub fn report(triaged: &Triaged, tickets: &Tickets, log: &str, zone: Tz, all: bool) -> String {
    let now = triaged.report.finished_at;
    let mut out = format!(
        "# {}\n\n{}\n",
        verdict(triaged),
        moment(triaged.report.started_at, zone, now)
    );
    let mut section = |name: &str, items: Vec<Sentence>| {
        if !items.is_empty() {
            out += &format!("\n## {name}\n\n");
            out.extend(items.iter().map(|item| format!("- {}\n", item.markdown())));
        }
    };
    let rows = |rows: &[Row]| listed(rows, tickets, zone, triaged, all);
    section("Needs you", rows(&triaged.needs_you));
    section("Unknown", unknown(triaged));
    section(
        "Gone",
        triaged
            .gone
            .iter()
            .map(|Gone { known, .. }| {
                Sentence::new()
                    .quote(known.finding.key.to_string())
                    .say(" ")
                    .quote(&known.finding.title)
            })
            .collect(),
    );
    section("Came back", rows(&ticket::come_back(triaged)));
    section("Snoozed", rows(&triaged.snoozed));
    if all {
        section("Handled", rows(&triaged.handled));
        section("Low", rows(&triaged.low));
    }
    let mut end: Vec<String> = Vec::new();
    end.extend(
        triaged
            .previous
            .as_ref()
            .zip(changes(triaged))
            .map(|(previous, said)| {
                format!("Since {}: {said}", moment(previous.started_at, zone, now))
            }),
    );
    end.extend(quiet(triaged).map(|said| format!("Also: {said}")));
    end.extend(named("In hand", triaged.in_hand()));
    end.extend(named("Ok", triaged.ok()));
    end.extend(named("Off", triaged.off()));
    end.push(log.to_owned());
    out.extend(
        end.iter()
            .map(|line| format!("\n{}\n", Sentence::new().say(line).markdown())),
    );
    out
}

fn named<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
}

fn listed(
    rows: &[Row],
    tickets: &Tickets,
    zone: Tz,
    triaged: &Triaged,
    all: bool,
) -> Vec<Sentence> {
    let now = triaged.report.finished_at;
    let shown = if all {
        rows.len()
    } else {
        SHOWN.min(rows.len())
    };
    let item = |row: &Row| {
        let found = &row.finding;
        let line = Sentence::new()
            .say(format!("{} ", found.severity))
            .quote(found.key.to_string())
            .say(" ")
            .quote(&found.title)
            .say(": ")
            .quote(&found.rule)
            .say(format!(", {}", age(row, now)));
        let line = standing(row, zone, now)
            .into_iter()
            .fold(line, |line, said| line.say(", ").then(said));
        let line = ticket::newest(tickets.get(&found.key))
            .into_iter()
            .fold(line, |line, it| {
                line.say(", ticket ").then(ticket::mark_in(row, it))
            });
        let line = row
            .failed
            .iter()
            .fold(line, |line, it| line.say(", ").then(failed(it, zone, now)));
        let line = found
            .link
            .iter()
            .fold(line, |line, url| line.say(", ").quote(url.as_str()));
        found
            .runbook
            .iter()
            .fold(line, |line, url| line.say(", runbook ").quote(url.as_str()))
    };
    let hidden = &rows[shown..];
    let rest = (!hidden.is_empty()).then(|| {
        Sentence::new().say(format!(
            "and {} more: {}",
            thousands(hidden.len() as u64),
            severities(hidden)
        ))
    });
    rows[..shown].iter().map(item).chain(rest).collect()
}

fn unknown(triaged: &Triaged) -> Vec<Sentence> {
    let reasons = triaged
        .unknown
        .iter()
        .flat_map(|blind| blind.reasons.iter().map(move |reason| (blind, reason)));
    reasons
        .map(|(blind, reason)| {
            Sentence::new()
                .say(format!("{}: ", blind.check))
                .quote(&reason.reason)
        })
        .collect()
}
