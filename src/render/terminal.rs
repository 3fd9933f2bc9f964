//! The report as a person reads it in a terminal: verdict first, then what needs them.

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    SHOWN, age, changes, failed, moment, quiet, severities, span, standing, ticket, took, verdict,
};
use crate::{
    report::{Severity, Verb},
    text::{count, thousands},
    ticket::Tickets,
    triage::{Blind, Row, Standing, Triaged, Verdict},
};

/// How the text is to look.
#[derive(Clone, Copy)]
pub struct Look {
    pub colour: bool,
    /// Columns of the terminal; `None` for a pipe, where nothing is cut.
    pub width: Option<usize>,
    pub zone: Tz,
    /// All rows instead of the worst of each section.
    pub all: bool,
}

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

impl Look {
    /// A link where the terminal can open it (OSC 8), the bare text elsewhere.
    fn link(&self, url: Option<&url::Url>, text: &str) -> String {
        match url {
            Some(url) if self.colour => format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\"),
            _ => text.to_owned(),
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Cut to what is left of the line after `indent` columns.
    fn fit(&self, text: &str, indent: usize) -> String {
        let Some(width) = self.width.map(|w| w.max(indent + 20) - indent) else {
            return text.to_owned();
        };
        if text.width() <= width {
            return text.to_owned();
        }
        let mut used = 1;
        let kept: String = text
            .chars()
            .take_while(|c| {
                used += c.width().unwrap_or(0);
                used <= width
            })
            .collect();
        kept + "…"
    }

    /// In lines of the terminal's width, each after the first indented.
    fn wrap(&self, text: &str, indent: usize) -> String {
        let Some(width) = self.width.map(|w| w.max(indent + 20) - indent) else {
            return text.to_owned();
        };
        let (mut out, mut column) = (String::new(), 0);
        for word in text.split(' ') {
            if column > 0 && column + 1 + word.width() > width {
                out += &format!("\n{:indent$}", "");
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out += word;
            column += word.width();
        }
        out
    }
}

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
        if triaged.ok().any(|name| name == check.name) {
            let summary = if check.summary.is_empty() {
                String::new()
            } else {
                format!("  {}", check.summary.as_str())
            };
            line(
                &mut out,
                &format!(
                    "{}  {}{}",
                    look.paint(GREEN, "ok     "),
                    check.name,
                    look.paint(DIM, &look.fit(&summary, 9 + check.name.width()))
                ),
            );
        }
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

fn section(
    out: &mut String,
    name: &str,
    rows: &[Row],
    tickets: &Tickets,
    now: DateTime<Utc>,
    look: Look,
) {
    if rows.is_empty() {
        return;
    }
    line(out, &format!("\n{}", look.paint(BOLD, name)));
    let shown = if look.all {
        rows.len()
    } else {
        SHOWN.min(rows.len())
    };
    let keys = rows[..shown]
        .iter()
        .map(|row| row.finding.key.to_string().width())
        .max()
        .unwrap_or(0)
        .min(36);
    for row in &rows[..shown] {
        finding(out, row, tickets, keys, now, look);
    }
    if let hidden @ [_, ..] = &rows[shown..] {
        line(
            out,
            &look.paint(
                DIM,
                &format!(
                    "  and {} more: {}  (--all lists them)",
                    thousands(hidden.len() as u64),
                    severities(hidden)
                ),
            ),
        );
    }
}

fn finding(
    out: &mut String,
    row: &Row,
    tickets: &Tickets,
    keys: usize,
    now: DateTime<Utc>,
    look: Look,
) {
    let finding = &row.finding;
    let indent = 2 + 8 + 2 + keys + 2;
    let style = match finding.severity {
        Severity::Critical => RED,
        Severity::High => YELLOW,
        Severity::Medium | Severity::Low => Style::new(),
    };
    let key = finding.key.to_string();
    let gap = " ".repeat(keys.saturating_sub(key.width()));
    let key = look.link(finding.link.as_ref(), &key) + &gap;
    line(
        out,
        &format!(
            "  {}  {key}  {}",
            look.paint(style, &format!("{:<8}", finding.severity)),
            look.fit(finding.title.as_str(), indent)
        ),
    );
    let mut about = vec![finding.rule.as_str().to_owned(), age(row, now)];
    about.extend(standing(row, look.zone, now).map(|said| said.plain()));
    about.extend(
        ticket::newest(tickets.get(&finding.key))
            .map(|it| format!("ticket {}", ticket::mark_in(row, it).plain())),
    );
    about.extend(
        row.failed
            .iter()
            .map(|it| failed(it, look.zone, now).plain()),
    );
    about.extend(finding.runbook.as_ref().map(|url| format!("runbook {url}")));
    line(
        out,
        &format!(
            "{:indent$}{}",
            "",
            look.paint(DIM, &look.wrap(&about.join(" · "), indent))
        ),
    );
    if let Some(remedies) = remedies(row) {
        line(
            out,
            &format!("{:indent$}{}", "", look.paint(DIM, &remedies)),
        );
    }
}

/// What its check can do about a finding that somebody has to see to, as it is typed.
fn remedies(row: &Row) -> Option<String> {
    if let Standing::Handled(_) = row.standing {
        return None;
    }
    let remedies = row.finding.remedies.iter();
    let verbs: Vec<&str> = remedies
        .filter_map(|remedy| Some(Verb::named(&remedy.verb)?.as_str()))
        .collect();
    (!verbs.is_empty()).then(|| {
        let verbs = verbs.join("|");
        format!("→ daily-ops triage {verbs} {}", row.finding.key)
    })
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
    for known in &triaged.gone[..shown] {
        let text = format!(
            "  gone  {}  {} (after {})",
            known.finding.key,
            known.finding.title.as_str(),
            span(now - known.since)
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

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}
