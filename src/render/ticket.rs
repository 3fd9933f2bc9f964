//! What a ticket about a finding says, before anybody has changed it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::moment;
use crate::{
    ops_log::Sentence,
    report::RunId,
    ticket::Draft,
    triage::{Known, Person},
};

/// What, since when, evidence, links, the run, and who wants it.
pub fn draft(
    known: &Known,
    run: Option<&RunId>,
    by: &Person,
    zone: Tz,
    now: DateTime<Utc>,
) -> Draft {
    let finding = &known.finding;
    let mut lines = vec![
        format!(
            "**{}**: {}",
            finding.severity,
            escaped(finding.rule.as_str())
        ),
        String::new(),
    ];
    let since = finding.began_at.unwrap_or(known.since);
    lines.push(format!("- since {}", moment(since, zone, now)));
    lines.push(format!(
        "- last seen {}",
        moment(finding.last_at.unwrap_or(known.last_seen), zone, now)
    ));
    let links = [("look", &finding.link), ("runbook", &finding.runbook)];
    for (name, link) in links {
        lines.extend(link.iter().map(|url| format!("- {name}: <{url}>")));
    }
    lines.push(format!("- finding: `{}`", finding.key));
    lines.extend(run.map(|run| format!("- run: `{run}`")));
    if !finding.evidence.is_empty() {
        lines.extend([String::new(), "What was seen:".to_owned(), String::new()]);
        let seen = finding.evidence.iter();
        lines.extend(seen.map(|line| format!("- {}", escaped(line.as_str()))));
    }
    lines.extend([
        String::new(),
        format!("Opened by {} through Daily Ops.", escaped(by.name())),
    ]);
    Draft {
        title: finding.title.as_str().to_owned(),
        body: lines.join("\n"),
        severity: finding.severity,
        labels: vec!["daily-ops".to_owned(), finding.key.check().to_owned()],
    }
    .tidy()
}

fn escaped(text: &str) -> String {
    Sentence::new().quote(text).markdown()
}
