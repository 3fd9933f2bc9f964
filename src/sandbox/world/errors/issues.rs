//! The lists of issues, and how an issue is told.

use axum::response::IntoResponse;
use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Issue, NAMELESS, Organization, answers::Answered};

impl Organization {
    pub(super) fn list_issues(&mut self, query: &[(String, String)]) -> Answered {
        let page = self.issues_page(query)?;
        let has = |name: &str, value: &str| {
            query
                .iter()
                .any(|(n, v)| n == name && (value.is_empty() || v == value))
        };
        if has("statsPeriod", "24h")
            && !has("cursor", "")
            && let Some(id) = self.stirs.pop()
        {
            self.issue(id).stir();
        }
        Ok(page)
    }

    fn issues_page(&self, query: &[(String, String)]) -> Answered {
        self.need("event:read")?;
        let all = |name: &str| {
            query
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .collect::<Vec<_>>()
        };
        if self.shows_no_issues || self.projects.iter().all(|project| !project.accessible) {
            return Ok(axum::Json(json!([])).into_response());
        }
        let slugs: Vec<&str> = self
            .projects
            .iter()
            .filter(|p| all("project").contains(&p.id.to_string().as_str()))
            .map(|p| p.slug.as_str())
            .collect();
        let now = self.now();
        let day = all("statsPeriod") == ["24h"];
        let history = all("groupStatsPeriod").first().copied().unwrap_or("24h");
        let mut listed: Vec<&Issue> = self
            .issues
            .iter()
            .filter(|issue| {
                issue.is_known(now)
                    && issue.state(now).0 == "unresolved"
                    && slugs.contains(&issue.project.as_str())
            })
            .filter(|issue| !day || issue.counts(now).today > 0)
            .collect();
        let by_age = all("sort") == ["new"];
        listed.sort_by_cached_key(|issue| {
            let counts = issue.counts(now);
            std::cmp::Reverse(if by_age {
                counts.first_seen
            } else {
                counts.last_seen
            })
        });
        Ok(self.page(
            query,
            &listed,
            |issue| self.row(issue, day, Some(history)),
            Some(listed.len()),
        ))
    }

    pub(super) fn row(&self, issue: &Issue, day: bool, history: Option<&str>) -> Value {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let now = self.now();
        let (counts, (status, substatus)) = (issue.counts(now), issue.state(now));
        let (count, users) = if day {
            (counts.today, counts.users)
        } else {
            (counts.ever, counts.users_ever)
        };
        let projects = self.projects.iter();
        let project = projects
            .clone()
            .find(|project| project.slug == issue.project);
        let mut row = json!({
            "id": (issue.id != NAMELESS).then(|| issue.id.to_string()),
            "shortId": format!("{}-{}", issue.project.to_uppercase(), issue.id),
            "title": issue.title,
            "culprit": issue.culprit,
            "permalink": format!("https://acme.sentry.io/issues/{}/", issue.id),
            "level": issue.level,
            "priority": issue.priority,
            "status": status,
            "substatus": substatus,
            "isUnhandled": issue.unhandled,
            "project": {"id": project.map(|project| project.id.to_string()), "slug": issue.project, "name": issue.project},
            "assignedTo": issue.assignee.as_deref().map(|actor| self.actor(actor)),
            "metadata": {"title": issue.title},
            "firstSeen": time(counts.first_seen),
            "lastSeen": time(counts.last_seen),
            "count": count.to_string(),
            "userCount": users,
            "lifetime": {"count": counts.ever.to_string(), "userCount": counts.users_ever},
            "filtered": issue.filtered,
        });
        match history.filter(|_| !self.keeps_no_history) {
            Some("24h") => {
                row["stats"] = json!({"24h": series(now, TimeDelta::hours(1), &counts.hourly)})
            }
            Some("14d") => {
                row["stats"] = json!({"14d": series(now, TimeDelta::days(1), &counts.daily)});
            }
            _ => {}
        }
        row
    }

    fn actor(&self, actor: &str) -> Value {
        let (kind, id) = actor.split_once(':').unwrap_or(("user", actor));
        let name = match kind {
            "team" => self
                .teams
                .iter()
                .find(|(team, _)| team.to_string() == id)
                .map(|(_, slug)| slug.clone()),
            _ => self
                .members
                .iter()
                .find(|m| m.user.is_some_and(|user| user.to_string() == id))
                .map(|m| m.name.clone()),
        };
        json!({"type": kind, "id": id, "name": name})
    }

    pub(super) fn stats(&self) -> Answered {
        self.need("org:read")?;
        let groups: Vec<Value> = self
            .outcomes
            .iter()
            .map(|(outcome, number)| json!({"by": {"outcome": outcome}, "totals": {"sum(quantity)": number}, "series": {"sum(quantity)": [number]}}))
            .collect();
        let end = self.now();
        let start = end - TimeDelta::days(1);
        Ok(axum::Json(
            json!({"start": shown(start), "end": shown(end), "intervals": [], "groups": groups}),
        )
        .into_response())
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Buckets that end with the one that holds `now`.
fn series(now: DateTime<Utc>, width: TimeDelta, events: &[u64]) -> Value {
    let last = now.duration_trunc(width).unwrap_or(now);
    let start = |place: usize| (last - width * (events.len() - 1 - place) as i32).timestamp();
    events
        .iter()
        .enumerate()
        .map(|(place, events)| json!([start(place), events]))
        .collect()
}
