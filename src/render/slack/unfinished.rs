//! A round that has not come to its end yet, or never will.

use super::{
    Finished, Message, Picture,
    block::{context, header},
    rich::Rich,
    sections::{self, text},
    text::{fit, neutral},
};
use crate::text::{Untrusted, count, thousands};

/// Checks that the skeleton names.
const PENDING_SHOWN: usize = 30;

/// Every check, and how it came out if it has finished.
pub(super) fn running(picture: &Picture<'_>, checks: &[(String, Option<Finished>)]) -> Message {
    let finished = checks.iter().filter(|(_, how)| how.is_some()).count();
    let said = format!("{finished} of {} done", count(checks.len(), "check"));
    let mut lines = checks
        .iter()
        .take(PENDING_SHOWN)
        .map(|(name, how)| pending(name, how.as_ref()))
        .collect::<Vec<_>>();
    if checks.len() > PENDING_SHOWN {
        let more = checks.len() - PENDING_SHOWN;
        lines.push(Rich::new().say(&format!("and {more} more")));
    }
    let lines = lines
        .into_iter()
        .reduce(|all, line| all.say("\n").then(line))
        .unwrap_or_else(|| Rich::new().say("no check is switched on"));
    Message {
        text: text(picture, &format!("looking, {said}")),
        blocks: vec![
            header("Looking…"),
            context(sections::when(picture, &said)),
            lines.block(),
        ],
    }
}

fn pending(name: &str, how: Option<&Finished>) -> Rich {
    let line = |emoji, said: &str| {
        Rich::new()
            .emoji(emoji)
            .say(" ")
            .bold(&fit(name, 80))
            .say("  ")
            .say(said)
    };
    let Some(how) = how else {
        return line("hourglass_flowing_sand", "looking…");
    };
    let found = match how.findings {
        0 if how.looked => "nothing found".to_owned(),
        0 => "unknown".to_owned(),
        n if how.looked => format!("{} found", thousands(n as u64)),
        n => format!("unknown, {} found", thousands(n as u64)),
    };
    let emoji = match (how.looked, how.findings) {
        (false, _) => "grey_question",
        (true, 0) => "white_check_mark",
        (true, _) => "large_yellow_circle",
    };
    line(emoji, &found).say(&format!(
        " · {}.{} s",
        how.took_ms / 1000,
        how.took_ms % 1000 / 100
    ))
}

/// What happened, and what to do.
pub(super) fn failed(picture: &Picture<'_>, why: &Untrusted) -> Message {
    let title = "The round could not be carried out: nothing is known";
    let why = fit(why.as_str(), 600);
    Message {
        text: text(
            picture,
            &format!(
                "could not be carried out, so nothing is known: {}",
                neutral(&why)
            ),
        ),
        blocks: vec![
            header(title),
            context(sections::when(picture, "")),
            Rich::new()
                .quote(&why, 600)
                .capital()
                .say("\nTry again with ")
                .code("/ops daily")
                .say(". If it fails again, whoever runs Daily Ops finds more in its own log.")
                .block(),
        ],
    }
}
