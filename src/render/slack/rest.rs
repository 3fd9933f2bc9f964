//! The findings that a message only counts, in a view.

use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackView};

use super::{outcome, rich::Rich, row, view};
use crate::{
    render::ticket::newest,
    report::FindingKey,
    text::thousands,
    ticket::Tickets,
    triage::{Row, Triaged},
};

/// Rows of one view; a view takes 100 blocks.
const LISTED: usize = 90;

/// All rows but those that the message shows, with their keys.
pub fn rest(triaged: &Triaged, tickets: &Tickets, skip: &[FindingKey], zone: Tz) -> SlackView {
    let mut blocks = Vec::new();
    let (mut listed, mut left_out) = (0, 0);
    for (name, rows) in [
        ("Needs you", &triaged.needs_you),
        ("Handled", &triaged.handled),
        ("Snoozed", &triaged.snoozed),
        ("Low", &triaged.low),
    ] {
        let rows: Vec<&Row> = rows
            .iter()
            .filter(|row| !skip.contains(&row.finding.key))
            .collect();
        let room = rows.len().min(LISTED - listed);
        if room > 0 {
            blocks.push(Rich::new().bold(name).block());
        }
        blocks.extend(
            rows[..room]
                .iter()
                .map(|row| line(row, triaged, tickets, zone)),
        );
        listed += room;
        left_out += rows.len() - room;
    }
    if listed == 0 {
        blocks.push(
            Rich::new()
                .say("There is no more than the message shows.")
                .block(),
        );
    }
    if left_out > 0 {
        let more = thousands(left_out as u64);
        let line = Rich::new()
            .say(&format!("And {more} more. In a terminal, "))
            .code("daily-ops daily --all")
            .say(" lists them.");
        blocks.push(line.block());
    }
    view::read("The rest", blocks)
}

fn line(row: &Row, triaged: &Triaged, tickets: &Tickets, zone: Tz) -> SlackBlock {
    let ticket = newest(tickets.get(&row.finding.key));
    let line = row::title(row, None, ticket)
        .say("\n")
        .then(row::about(row, triaged.report.finished_at));
    let filed = ticket.map(|ticket| row::filed_in(row, ticket, zone));
    let standing = Rich::new().parts([row::standing(row, zone), filed.unwrap_or_default()]);
    let lines = [standing].into_iter().chain(outcome::failed(row, zone));
    lines
        .filter(|said| !said.is_empty())
        .fold(line, |line, said| line.say("\n").then(said.capital()))
        .block()
}
