//! Looks at Sentry: are the projects there, which issues are open, what happened in 24 h, what was dropped.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{
    Errors,
    client::{Notices, PAGE, Sentry},
    issue::{self, Issue},
    walk::{List, Walk},
};
use crate::{
    checks::Looking,
    report::{Cause, Unknown},
    text::count,
};

/// Period, history and order of the list that tells what happened today.
const DAY: (&str, &str, &str) = ("24h", "24h", "date");

/// One page of projects, one of each list of issues, and the statistics.
const LEAST_REQUESTS: u64 = 4;

/// What was seen of Sentry.
#[derive(Debug, Default)]
pub struct Observation {
    pub issues: Vec<Seen>,
    /// None if nothing was asked.
    pub drops: Option<Result<Drops, Unknown>>,
    pub notices: Notices,
    /// What else could not be seen; it may hide issues.
    pub gaps: Vec<Unknown>,
}

/// An open issue with its last 24 hours.
#[derive(Clone, Debug)]
pub struct Seen {
    pub issue: Issue,
    /// In 24 h, as `users`.
    pub events: u64,
    pub users: u64,
    /// False if the two are upper bounds, because the counts of 24 h could not be read.
    pub exact: bool,
}

/// Events of the last 24 h by what Sentry did with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drops(pub BTreeMap<String, u64>);

pub(super) async fn observe(section: &Errors, looking: &Looking) -> Result<Observation, Unknown> {
    let sentry = Sentry::connect(section, looking)?;
    sentry.expect(LEAST_REQUESTS);
    let (projects, mut gaps) = prove(section, &sentry).await;
    if projects.is_empty() {
        // Without a project, Sentry would list the issues of all.
        return Ok(Observation {
            notices: sentry.notices(),
            gaps,
            ..Observation::default()
        });
    }
    let projects: Vec<(&str, &str)> = projects.iter().map(|id| ("project", id.as_str())).collect();
    let lookback = section.stats_period();
    // The age of an issue stands still while pages are read; by the last event, it could slip past both lists at once.
    let (open, day, outcomes) = tokio::join!(
        issues(section, &sentry, &projects, (&lookback, "14d", "new")),
        issues(section, &sentry, &projects, DAY),
        sentry.outcomes(&projects),
    );
    let day = catch_up(section, &sentry, &projects, &open, day).await;
    gaps.extend(open.gaps.iter().chain(&day.gaps).cloned());
    let drops = outcomes
        .map_err(Unknown::from)
        .and_then(|answer| Drops::read(&answer));
    let day_complete = day.gaps.is_empty();
    let issues = merge(open.items, day.items, day_complete);
    gaps.extend(day_complete.then(|| uncounted(&issues)).flatten());
    Ok(Observation {
        issues,
        drops: Some(drops),
        notices: sentry.notices(),
        gaps,
    })
}

/// Reads the day's list once more if it misses what must be on it.
async fn catch_up(
    section: &Errors,
    sentry: &Sentry<'_>,
    projects: &[(&str, &str)],
    open: &Walk<Issue>,
    mut day: Walk<Issue>,
) -> Walk<Issue> {
    if !day.gaps.is_empty() || slipped_away(open, &day).is_empty() {
        return day;
    }
    let again = issues(section, sentry, projects, DAY).await;
    day.items.extend(again.items);
    day.gaps.extend(again.gaps);
    let slipped = slipped_away(open, &day);
    if !slipped.is_empty() {
        let reason = format!(
            "{} moved between Sentry's pages while they were read, or changed meanwhile; look again",
            count(slipped.len(), "issue")
        );
        day.gaps.push(Unknown::new(Cause::Truncated, reason));
    }
    day
}

fn uncounted(issues: &[Seen]) -> Option<Unknown> {
    let number = issues.iter().filter(|seen| !seen.exact).count();
    let reason = format!(
        "Sentry gave no readable count of events and users for {}; look at its version",
        count(number, "issue")
    );
    (number > 0).then(|| Unknown::new(Cause::Decode, reason))
}

/// The ids of the configured projects that can be seen, and a gap for each that can't. An empty list of issues says
/// something only after this.
async fn prove(section: &Errors, sentry: &Sentry<'_>) -> (Vec<String>, Vec<Unknown>) {
    let list = List {
        route: "projects",
        query: &[],
        needs: "the scope `project:read` and access to the projects",
        noun: "projects",
        most: 100_000,
    };
    let walk = sentry.walk(&list, project).await;
    let (mut ids, mut gaps) = (Vec::new(), Vec::new());
    for slug in &section.projects {
        match walk.items.iter().find(|project| &project.slug == slug) {
            Some(project) if project.accessible => ids.push(project.id.clone()),
            Some(_) => gaps.push(barred(slug)),
            None if walk.gaps.is_empty() => gaps.push(missing(section, slug)),
            None => gaps.extend(walk.gaps.iter().cloned()),
        }
    }
    gaps.dedup();
    (ids, gaps)
}

fn barred(slug: &str) -> Unknown {
    let reason = format!(
        "the token may not look into the project `{slug}`; give it the scope `project:read`, and its owner a team of the project"
    );
    Unknown::new(Cause::Forbidden, reason)
}

fn missing(section: &Errors, slug: &str) -> Unknown {
    let reason = format!(
        "`{}` has no project `{slug}` that the token may see; check `projects` in [checks.errors], and that the token has the scope `project:read`",
        section.organization
    );
    Unknown::new(Cause::NotFound, reason)
}

struct Project {
    id: String,
    slug: String,
    accessible: bool,
}

fn project(item: &Value) -> Option<Project> {
    Some(Project {
        id: issue::identifier(&item["id"])?,
        slug: item["slug"].as_str()?.to_owned(),
        accessible: item["hasAccess"].as_bool().unwrap_or(true),
    })
}

async fn issues(
    section: &Errors,
    sentry: &Sentry<'_>,
    projects: &[(&str, &str)],
    (period, history, sort): (&str, &str, &str),
) -> Walk<Issue> {
    let rows = PAGE.to_string();
    let mut query = vec![
        ("query", "is:unresolved"),
        ("sort", sort),
        ("statsPeriod", period),
        ("groupStatsPeriod", history),
        ("limit", &rows),
    ];
    query.extend(projects);
    query.extend(
        section
            .environments
            .iter()
            .map(|name| ("environment", name.as_str())),
    );
    let noun = format!("issues of the last {period}");
    let list = List {
        route: "issues",
        query: &query,
        needs: "the scope `event:read`",
        noun: &noun,
        most: section.max_issues,
    };
    sentry.walk(&list, Issue::read).await
}

/// Issues that were seen within the day, and yet are not on the day's list: events move an issue to the front, past
/// the page that is being read.
fn slipped_away(open: &Walk<Issue>, day: &Walk<Issue>) -> BTreeSet<String> {
    let listed: BTreeSet<&str> = day.items.iter().map(|issue| issue.id.as_str()).collect();
    let surely_within = day.began_at.map(|began| began - TimeDelta::hours(23));
    open.items
        .iter()
        .filter(|issue| !listed.contains(issue.id.as_str()) && issue.last_seen > surely_within)
        .map(|issue| issue.id.clone())
        .collect()
}

/// Joins the two lists by id. What is missing on the day's list had no events, if that list is complete.
fn merge(open: Vec<Issue>, day: Vec<Issue>, day_complete: bool) -> Vec<Seen> {
    let newest = open
        .iter()
        .chain(&day)
        .filter_map(|issue| issue.last_seen)
        .max();
    let mut days: BTreeMap<String, Issue> = day
        .into_iter()
        .map(|issue| (issue.id.clone(), issue))
        .collect();
    let mut merged = BTreeMap::new();
    for mut issue in open {
        issue.events_ever = issue.events_ever.or(issue.events);
        issue.users_ever = issue.users_ever.or(issue.users);
        let seen = match days.remove(&issue.id) {
            Some(today) => with_day(issue, today),
            None if day_complete || is_older_than_a_day(&issue, newest) => Seen {
                issue,
                events: 0,
                users: 0,
                exact: true,
            },
            None => bounded(issue),
        };
        merged.entry(seen.issue.id.clone()).or_insert(seen);
    }
    for (id, today) in days {
        merged
            .entry(id)
            .or_insert_with(|| with_day(today.clone(), today));
    }
    merged.into_values().collect()
}

fn with_day(mut issue: Issue, day: Issue) -> Seen {
    issue.hourly = day.hourly;
    issue.last_seen = issue.last_seen.max(day.last_seen);
    match (day.events, day.users) {
        (Some(events), Some(users)) => Seen {
            issue,
            events,
            users,
            exact: true,
        },
        _ => bounded(issue),
    }
}

fn is_older_than_a_day(issue: &Issue, newest: Option<DateTime<Utc>>) -> bool {
    matches!((issue.last_seen, newest), (Some(seen), Some(newest)) if newest - seen > TimeDelta::hours(24))
}

/// Without the counts of the day, those of two calendar days and of the whole period are upper bounds.
fn bounded(issue: Issue) -> Seen {
    let two_days = issue
        .daily
        .iter()
        .rev()
        .take(2)
        .map(|bucket| bucket.events)
        .sum();
    let events = if issue.daily.is_empty() {
        issue.events.unwrap_or(0)
    } else {
        two_days
    };
    Seen {
        events,
        users: issue.users.unwrap_or(0),
        exact: false,
        issue,
    }
}

impl Drops {
    fn read(answer: &Value) -> Result<Self, Unknown> {
        let garbled = || {
            Unknown::new(
                Cause::Decode,
                "Sentry's event statistics (stats_v2) are not as documented; whether it drops events is not known. See whether `url` leads to Sentry itself",
            )
        };
        let groups = answer["groups"].as_array().ok_or_else(garbled)?;
        let mut drops = BTreeMap::new();
        for group in groups {
            let outcome = group["by"]["outcome"].as_str().ok_or_else(garbled)?;
            let quantity = issue::number(&group["totals"]["sum(quantity)"]).ok_or_else(garbled)?;
            *drops.entry(outcome.to_owned()).or_insert(0) += quantity;
        }
        Ok(Self(drops))
    }

    pub fn number(&self, outcome: &str) -> u64 {
        self.0.get(outcome).copied().unwrap_or(0)
    }
}
