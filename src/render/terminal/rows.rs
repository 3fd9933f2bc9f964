//! Findings, a few lines each.

use anstyle::Style;
use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use super::look::{BOLD, DIM, Look, RED, YELLOW, line};
use crate::{
    render::{SHOWN, age, failed, severities, standing, ticket},
    report::{Severity, Verb},
    text::thousands,
    ticket::Tickets,
    triage::{Row, Standing},
};

pub(super) fn section(
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
