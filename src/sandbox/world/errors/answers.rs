//! What a described Sentry answers.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Issue, Member, NAMELESS, Organization, Project};

pub(super) async fn answer(
    Extract(world): Extract<Arc<Mutex<Organization>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.asked.push(format!("{method} {uri}"));
    let mut response = world
        .answer(&method, &uri, &headers, &body)
        .unwrap_or_else(|refusal| *refusal);
    let date = world.date().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    set(&mut response, header::DATE, &date);
    if let Some(date) = &world.deprecation {
        set(
            &mut response,
            HeaderName::from_static("x-sentry-deprecation-date"),
            date,
        );
    }
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

type Answered = Result<Response, Box<Response>>;

fn refuse(status: u16, body: Value) -> Box<Response> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Box::new((status, axum::Json(body)).into_response())
}

fn not_found() -> Box<Response> {
    refuse(
        404,
        json!({"detail": "The requested resource does not exist"}),
    )
}

impl Organization {
    fn answer(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answered {
        if headers
            .get(header::AUTHORIZATION)
            .is_none_or(|sent| sent.as_bytes() != format!("Bearer {}", self.token).as_bytes())
        {
            return Err(refuse(401, json!({"detail": "Invalid token"})));
        }
        if self.brown_out {
            return Err(refuse(
                410,
                json!({"message": "This API no longer exists."}),
            ));
        }
        if self.maintenance {
            let mut response = refuse(503, json!({"detail": "Sentry is being maintained"}));
            if let Some(seconds) = self.asks_to_wait {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            return Err(response);
        }
        self.limit()?;
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let path: Vec<&str> = uri
            .path()
            .strip_prefix("/api/0/organizations/acme/")
            .ok_or_else(not_found)?
            .split('/')
            .collect();
        match (method.as_str(), path.as_slice()) {
            ("GET", ["projects", ""]) => {
                self.page_of("project:read", &query, &self.projects, project)
            }
            ("GET", ["members", ""]) => self.page_of("member:read", &query, &self.members, member),
            ("GET", ["teams", ""]) => self.page_of(
                "team:read",
                &query,
                &self.teams,
                |(id, slug)| json!({"id": id.to_string(), "slug": slug, "name": slug}),
            ),
            ("GET", ["issues", ""]) => self.list_issues(&query),
            ("GET", ["stats_v2", ""]) => self.stats(),
            ("GET", ["issues", id, ""]) => self.get_issue(id),
            ("PUT", ["issues", id, ""]) => self.put_issue(id, body),
            ("POST", ["issues", id, "notes", ""]) => self.post_note(id, body),
            _ => Err(not_found()),
        }
    }

    fn limit(&mut self) -> Result<(), Box<Response>> {
        match &mut self.allowance {
            Some(0) => {
                let mut response = refuse(
                    429,
                    json!({"detail": "You are attempting to use this endpoint too frequently. Limit is 40 requests in 1 seconds"}),
                );
                if self.tells_reset {
                    let reset = self.date().timestamp() + 1;
                    response
                        .headers_mut()
                        .insert("x-sentry-rate-limit-reset", reset.into());
                }
                self.allowance = None;
                Err(response)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn need(&self, scope: &str) -> Result<(), Box<Response>> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        Err(refuse(
            403,
            json!({"detail": "You do not have permission to perform this action."}),
        ))
    }

    fn page_of<T>(
        &self,
        scope: &str,
        query: &[(String, String)],
        rows: &[T],
        show: impl Fn(&T) -> Value,
    ) -> Answered {
        self.need(scope)?;
        Ok(self.page(query, rows, show, None))
    }

    /// Cuts a page, and says with absolute addresses of another host where the next one is.
    fn page<T>(
        &self,
        query: &[(String, String)],
        rows: &[T],
        show: impl Fn(&T) -> Value,
        hits: Option<usize>,
    ) -> Response {
        let cursor = query
            .iter()
            .find(|(name, _)| name == "cursor")
            .map_or("0:0:0", |(_, value)| value.as_str());
        let offset: usize = cursor
            .split(':')
            .nth(1)
            .and_then(|offset| offset.parse().ok())
            .unwrap_or(0);
        let end = (offset + self.page).min(rows.len());
        let next = if self.turns_in_circles && cursor != "0:0:0" {
            cursor.to_owned()
        } else {
            format!("0:{end}:0")
        };
        let more = end < rows.len();
        let page: Vec<Value> = rows[offset.min(end)..end]
            .iter()
            .map(show)
            .filter(|row| row["filtered"] != true)
            .collect();
        let mut response = axum::Json(json!(page)).into_response();
        if !self.loses_link {
            let link = format!(
                "<https://elsewhere.example/?cursor=0:0:1>; rel=\"previous\"; results=\"{}\"; cursor=\"0:0:1\", <https://elsewhere.example/?cursor={next}>; rel=\"next\"; results=\"{more}\"; cursor=\"{next}\"",
                offset > 0
            );
            set(&mut response, header::LINK, &link);
        }
        if let Some(hits) = hits {
            let headers = response.headers_mut();
            headers.insert("x-hits", hits.min(self.max_hits).into());
            headers.insert("x-max-hits", self.max_hits.into());
        }
        response
    }

    fn list_issues(&mut self, query: &[(String, String)]) -> Answered {
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
        let day = all("statsPeriod") == ["24h"];
        let history = all("groupStatsPeriod").first().copied().unwrap_or("24h");
        let mut listed: Vec<&Issue> = self
            .issues
            .iter()
            .filter(|issue| {
                issue.status == "unresolved"
                    && slugs.contains(&issue.project.as_str())
                    && issue.merged_into.is_none()
            })
            .filter(|issue| !day || issue.today() > 0)
            .collect();
        let by_age = all("sort") == ["new"];
        listed.sort_by_cached_key(|issue| {
            std::cmp::Reverse(if by_age {
                self.now() - issue.age
            } else {
                issue.last_seen(self.now())
            })
        });
        Ok(self.page(
            query,
            &listed,
            |issue| self.row(issue, day, Some(history)),
            Some(listed.len()),
        ))
    }

    fn row(&self, issue: &Issue, day: bool, history: Option<&str>) -> Value {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (count, users) = if day {
            (issue.today(), issue.users)
        } else {
            (issue.ever(), issue.users * 2)
        };
        let mut row = json!({
            "id": (issue.id != NAMELESS).then(|| issue.id.to_string()),
            "shortId": format!("WEB-{}", issue.id),
            "title": issue.title,
            "culprit": issue.culprit,
            "permalink": format!("https://acme.sentry.io/issues/{}/", issue.id),
            "level": issue.level,
            "priority": issue.priority,
            "status": issue.status,
            "substatus": issue.substatus,
            "isUnhandled": issue.unhandled,
            "project": {"id": "11", "slug": issue.project, "name": issue.project},
            "assignedTo": issue.assignee.as_deref().map(|actor| self.actor(actor)),
            "metadata": {"title": issue.title},
            "firstSeen": time(self.now() - issue.age),
            "lastSeen": time(issue.last_seen(self.now())),
            "count": count.to_string(),
            "userCount": users,
            "lifetime": {"count": issue.ever().to_string(), "userCount": issue.users * 2},
            "filtered": issue.filtered,
        });
        match history.filter(|_| !self.keeps_no_history) {
            Some("24h") => {
                row["stats"] =
                    json!({"24h": series(self.now(), TimeDelta::hours(1), &issue.hourly)})
            }
            Some("14d") => {
                let days: Vec<u64> = issue
                    .earlier_days
                    .iter()
                    .copied()
                    .chain([issue.today()])
                    .collect();
                row["stats"] = json!({"14d": series(self.now(), TimeDelta::days(1), &days)});
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

    fn stats(&self) -> Answered {
        self.need("org:read")?;
        let groups: Vec<Value> = self
            .outcomes
            .iter()
            .map(|(outcome, number)| json!({"by": {"outcome": outcome}, "totals": {"sum(quantity)": number}, "series": {"sum(quantity)": [number]}}))
            .collect();
        Ok(axum::Json(json!({"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z", "intervals": [], "groups": groups})).into_response())
    }

    fn find(&self, id: &str) -> Result<usize, Box<Response>> {
        let place = |id: u64| self.issues.iter().position(|issue| issue.id == id);
        let found = id.parse().ok().and_then(place).ok_or_else(not_found)?;
        Ok(self.issues[found]
            .merged_into
            .and_then(place)
            .unwrap_or(found))
    }

    fn get_issue(&self, id: &str) -> Answered {
        self.need("event:read")?;
        let place = self.find(id)?;
        Ok(axum::Json(self.row(&self.issues[place], false, None)).into_response())
    }

    fn put_issue(&mut self, id: &str, body: &[u8]) -> Answered {
        self.need("event:write")?;
        let place = self.find(id)?;
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| refuse(400, json!({"detail": "JSON parse error"})))?;
        if !self.forgets_changes {
            let issue = &mut self.issues[place];
            match body["status"].as_str() {
                Some("resolved") => issue.status = "resolved",
                Some("ignored") => {
                    (issue.status, issue.substatus) = ("ignored", "archived_until_escalating")
                }
                Some("unresolved") => (issue.status, issue.substatus) = ("unresolved", "ongoing"),
                Some(_) => return Err(refuse(400, json!({"status": ["not a valid choice"]}))),
                None => {}
            }
            match body["assignedTo"].as_str() {
                Some("") => issue.assignee = None,
                Some(actor) => issue.assignee = Some(actor.to_owned()),
                None => {}
            }
        }
        Ok(axum::Json(self.row(&self.issues[place], false, None)).into_response())
    }

    fn post_note(&mut self, id: &str, body: &[u8]) -> Answered {
        self.need("event:write")?;
        let place = self.find(id)?;
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| refuse(400, json!({"detail": "JSON parse error"})))?;
        let note = (
            self.issues[place].id,
            body["text"].as_str().unwrap_or_default().to_owned(),
        );
        if self.notes.contains(&note) {
            // Sentry's own answer is a JSON string that holds JSON.
            return Err(refuse(
                400,
                json!(r#"{"detail": "You have already posted that comment."}"#),
            ));
        }
        self.notes.push(note);
        Ok((
            StatusCode::CREATED,
            axum::Json(json!({"id": "1", "type": "note"})),
        )
            .into_response())
    }
}

fn project(project: &Project) -> Value {
    json!({"id": project.id.to_string(), "slug": project.slug, "name": project.slug, "hasAccess": project.accessible})
}

fn member(member: &Member) -> Value {
    let user = member
        .user
        .map(|id| json!({"id": id.to_string(), "name": member.name, "email": member.email}));
    json!({"id": "5", "email": member.email, "name": member.name, "user": user, "pending": member.user.is_none()})
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
