//! Answers to one person.

use std::sync::LazyLock;

use chrono_tz::Tz;
use clap::Subcommand;
use slack_morphism::prelude::SlackBlock;

use super::{
    Message, limits,
    rich::{Rich, list},
    row,
    text::Mrkdwn,
};
use crate::{
    command::Ops,
    ops_log::{Entry, Piece, Sentence, count},
    render,
    text::thousands,
    ticket::StoredTicket,
};

/// Lines of one answer.
const LINES: usize = 25;

/// Bytes of a sentence.
const SENTENCE: usize = 2_000;

/// Bytes of a ticket's title, and of its finding's key.
const TITLE: usize = 120;

/// Bytes of an entry's words.
const ENTRY: usize = 220;

/// Bytes of an answer's text beside its blocks.
const TEXT: usize = 3_000;

/// Some sentences, a line each.
pub fn reply(lines: &[Sentence]) -> Message {
    let said: Vec<Rich> = lines
        .iter()
        .map(|line| Rich::new().sentence(line, SENTENCE).capital())
        .filter(|line| !line.is_empty())
        .collect();
    let all = said.len();
    let mut blocks: Vec<SlackBlock> = said.into_iter().map(Rich::block).take(LINES).collect();
    // A little room is left for the line that counts the rest.
    while limits::size(&blocks) > limits::MESSAGE_SIZE - 50 {
        blocks.pop();
    }
    if blocks.is_empty() {
        return reply(&[Sentence::new().say("there is nothing to say")]);
    }
    let left_out = all - blocks.len();
    if left_out > 0 {
        let more = format!("And {} more.", thousands(left_out as u64));
        blocks.push(Rich::new().say(&more).block());
    }
    Message {
        text: spoken(lines),
        blocks,
    }
}

/// The sentences as the text beside the blocks.
fn spoken(lines: &[Sentence]) -> String {
    let mut text = Mrkdwn::within(TEXT);
    for (place, line) in lines.iter().take(LINES).enumerate() {
        if place > 0 {
            text = text.say("\n");
        }
        for piece in &line.0 {
            text = match piece {
                Piece::Named(person) => text.person(person),
                // Our own words as well: they name keys, whose subject comes from outside.
                piece => text.quote(&piece.text().replace('`', "'")),
            };
        }
    }
    let text = text.finish();
    if text.trim().is_empty() {
        "There is nothing to say".to_owned()
    } else {
        text
    }
}

fn joined(lines: Vec<Rich>) -> Rich {
    lines
        .into_iter()
        .reduce(|all, line| all.say("\n").then(line))
        .unwrap_or_default()
}

/// An example of each word that may follow `/ops`.
fn example(word: &str) -> &'static str {
    match word {
        "daily" => "/ops daily",
        "check" => "/ops check health",
        "status" => "/ops status",
        "triage" => "/ops triage snooze errors:4501 3d",
        "ticket" => "/ops ticket list",
        "log" => "/ops log search \"checkout\"",
        _ => "/ops help",
    }
}

/// What may follow `/ops`, in the grammar's own words.
pub fn help() -> Message {
    // The grammar takes longer to make than a request to be dealt with.
    static HELP: LazyLock<Message> = LazyLock::new(from_grammar);
    HELP.clone()
}

fn from_grammar() -> Message {
    let grammar = Ops::augment_subcommands(clap::Command::new("ops"));
    let words = grammar.get_subcommands().map(|word| {
        let about = word.get_about().map(ToString::to_string);
        Rich::new()
            .code(example(word.get_name()))
            .say("  ")
            .say(&about.unwrap_or_default())
    });
    let triage = grammar.find_subcommand("triage");
    let actions: Vec<&str> = triage
        .into_iter()
        .flat_map(clap::Command::get_subcommands)
        .map(clap::Command::get_name)
        .collect();
    let more = Rich::new()
        .say("To triage is to ")
        .say(&actions.join(", "))
        .say("; a finding's key stands in the message. Slack has no commands in threads: write them in the channel.");
    let all: Vec<&str> = grammar
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    Message {
        text: format!("What may follow /ops: {}", all.join(", ")),
        blocks: vec![
            list(Rich::new().bold("What may follow /ops"), words),
            more.block(),
        ],
    }
}

/// Tickets, the newest first.
pub fn tickets(tickets: &[StoredTicket], all: bool, zone: Tz) -> Message {
    if tickets.is_empty() {
        return reply(&[render::ticket::none(all)]);
    }
    let shown = &tickets[..tickets.len().min(LINES)];
    let mut lines: Vec<Rich> = shown.iter().map(|it| filed(it, zone)).collect();
    let left_out = tickets.len() - shown.len();
    if left_out > 0 {
        lines.push(Rich::new().say(&format!("and {} more", thousands(left_out as u64))));
    }
    let found = crate::text::count(tickets.len(), "ticket");
    let what = if all { "" } else { " open" };
    Message {
        text: format!("{found}{what}"),
        blocks: vec![joined(lines).block()],
    }
}

fn filed(ticket: &StoredTicket, zone: Tz) -> Rich {
    row::filed(ticket, zone)
        .capital()
        .say(" · ")
        .bold(ticket.draft.severity.as_str())
        .say(" ")
        .quote(&ticket.draft.title, TITLE)
        .say(" · ")
        .code(&super::text::fit(&ticket.key.to_string(), TITLE))
        .say(" · ")
        .date(ticket.wanted_at, zone)
}

/// Entries of the ops log, newest last.
pub fn log(entries: &[Entry], zone: Tz) -> Message {
    let left_out = entries.len().saturating_sub(LINES);
    let newest = &entries[left_out..];
    let Some(last) = newest.last() else {
        return reply(&[Sentence::new().say("no entry of the ops log fits")]);
    };
    let mut lines: Vec<Rich> = Vec::new();
    if left_out > 0 {
        let line = format!("{} earlier ones are left out", thousands(left_out as u64));
        lines.push(Rich::new().say(&line));
    }
    lines.extend(newest.iter().map(|entry| line(entry, zone)));
    let found = count(entries.len() as u64);
    Message {
        text: format!("{found}, the newest is #{}", last.seq),
        blocks: vec![joined(lines).block()],
    }
}

fn line(entry: &Entry, zone: Tz) -> Rich {
    let head = Rich::new()
        .code(&format!("#{}", entry.seq))
        .say(" ")
        .date(entry.at, zone)
        .say(" ")
        .bold(entry.kind.as_str());
    match &entry.body {
        None => head.say(" (erased)"),
        Some(body) => {
            let head = head.say(" by ").person(&body.by).say(": ");
            head.sentence(&body.text, ENTRY)
        }
    }
}
