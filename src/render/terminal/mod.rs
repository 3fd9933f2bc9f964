//! The report as a person reads it in a terminal: verdict first, then what needs them.

use unicode_width::UnicodeWidthStr;

use super::{SHOWN, changes, moment, quiet, span, ticket, took, verdict};
use crate::{
    text::{count, thousands},
    ticket::Tickets,
    triage::{Blind, Gone, Triaged, Verdict},
};

mod look;
mod rows;

pub use look::Look;

use look::{BOLD, DIM, GREEN, RED, YELLOW, line, pad};
use rows::section;

/// The whole report. `log` is the head of the ops log after it.
pub fn report(triaged: &Triaged, tickets: &Tickets, log: &str, look: Look) -> String {
    let now = triaged.report.finished_at;
    let mut out = String::new();
    let style = match triaged.verdict() {
        Verdict::NeedsYou => RED,
        Verdict::Unknown => YELLOW,
        Verdict::Ok => GREEN,
    };
    line(&mut out, &look.paint(style, &verdict(triaged)));
    line(
        &mut out,
        &look.paint(DIM, &look.fit(&heading(triaged, look), 0)),
    );
    needs_you(&mut out, triaged, tickets, look);
    unknown(&mut out, &triaged.unknown, look);
    changed(&mut out, triaged, look);
    let come_back = ticket::come_back(triaged);
    let section = |out: &mut String, name, rows| section(out, name, rows, tickets, now, look);
    section(&mut out, "Came back", &come_back);
    section(&mut out, "Snoozed", &triaged.snoozed);
    if look.all {
        section(&mut out, "Handled", &triaged.handled);
        section(&mut out, "Low", &triaged.low);
    } else if let Some(quiet) = quiet(triaged) {
        line(
            &mut out,
            &format!(
                "\n{}",
                look.paint(DIM, &format!("Also: {quiet}  (--all lists them)"))
            ),
        );
    }
    out.push('\n');
    for check in &triaged.report.checks {
        let word = if triaged.ok().any(|name| name == check.name) {
            look.paint(GREEN, "ok     ")
        } else if triaged.in_hand().any(|name| name == check.name) {
            look.paint(DIM, "in hand")
        } else {
            continue;
        };
        let summary = match check.summary.is_empty() {
            true => String::new(),
            false => format!("  {}", check.summary.as_str()),
        };
        let summary = look.fit(&summary, 9 + check.name.width());
        line(
            &mut out,
            &format!("{word}  {}{}", check.name, look.paint(DIM, &summary)),
        );
    }
    for name in triaged.off() {
        line(&mut out, &look.paint(DIM, &format!("off      {name}")));
    }
    line(&mut out, &look.paint(DIM, log));
    out
}

fn heading(triaged: &Triaged, look: Look) -> String {
    let report = &triaged.report;
    format!(
        "{} · {} · run {}",
        moment(report.started_at, look.zone, report.finished_at),
        took(report),
        report.run
    )
}

fn needs_you(out: &mut String, triaged: &Triaged, tickets: &Tickets, look: Look) {
    if triaged.needs_you.is_empty() {
        return;
    }
    section(
        out,
        "Needs you",
        &triaged.needs_you,
        tickets,
        triaged.report.finished_at,
        look,
    );
    let resolve = match triaged
        .needs_you
        .iter()
        .any(|row| row.finding.can_be_resolved)
    {
        true => "resolve|",
        false => "",
    };
    let way = format!("  → daily-ops triage ack|snooze|{resolve}handle|ticket KEY");
    line(out, &look.paint(DIM, &way));
}

fn unknown(out: &mut String, blind: &[Blind], look: Look) {
    if blind.is_empty() {
        return;
    }
    line(out, &format!("\n{}", look.paint(BOLD, "Unknown")));
    let names = blind.iter().map(|b| b.check.width()).max().unwrap_or(0);
    for check in blind {
        let mut name = look.paint(YELLOW, &pad(&check.check, names));
        for reason in &check.reasons {
            line(
                out,
                &format!("  {name}  {}", look.wrap(reason.reason.as_str(), names + 4)),
            );
            name = " ".repeat(names);
        }
        if !check.unseen.is_empty() {
            let text = format!(
                "{} open at the last look, not seen now",
                count(check.unseen.len(), "finding")
            );
            line(out, &format!("  {name}  {}", look.paint(DIM, &text)));
        }
    }
}

fn changed(out: &mut String, triaged: &Triaged, look: Look) {
    let Some(previous) = &triaged.previous else {
        return;
    };
    let now = triaged.report.finished_at;
    let said = changes(triaged).unwrap_or_else(|| "nothing has changed".to_owned());
    line(
        out,
        &format!(
            "\n{} {}",
            look.paint(
                BOLD,
                &format!("Since {}:", moment(previous.started_at, look.zone, now))
            ),
            said
        ),
    );
    let shown = if look.all {
        triaged.gone.len()
    } else {
        SHOWN.min(triaged.gone.len())
    };
    for Gone { known, at } in &triaged.gone[..shown] {
        let text = format!(
            "  gone  {}  {} (after {})",
            known.finding.key,
            known.finding.title.as_str(),
            span(*at - known.since)
        );
        line(out, &look.paint(DIM, &look.fit(&text, 0)));
    }
    if triaged.gone.len() > shown {
        line(
            out,
            &look.paint(
                DIM,
                &format!(
                    "  and {} more gone",
                    thousands((triaged.gone.len() - shown) as u64)
                ),
            ),
        );
    }
}
