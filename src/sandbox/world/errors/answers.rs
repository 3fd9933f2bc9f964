//! What a described Sentry answers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Member, Organization, Project, Trouble};

/// What each answer of a slow Sentry takes.
const SLOW: Duration = Duration::from_millis(250);

pub(super) async fn answer(
    Extract(world): Extract<Arc<Mutex<Organization>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trouble = enter(&world).trouble;
    match trouble {
        Trouble::Slow => tokio::time::sleep(SLOW).await,
        Trouble::Hangs => std::future::pending().await,
        _ => {}
    }
    let mut world = enter(&world);
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

fn enter(world: &Mutex<Organization>) -> MutexGuard<'_, Organization> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(super) type Answered = Result<Response, Box<Response>>;

pub(super) fn refuse(status: u16, body: Value) -> Box<Response> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Box::new((status, axum::Json(body)).into_response())
}

pub(super) fn not_found() -> Box<Response> {
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
        self.troubled()?;
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

    /// What the switch says that it suffers from.
    fn troubled(&self) -> Result<(), Box<Response>> {
        match self.trouble {
            Trouble::Unauthorized => Err(refuse(401, json!({"detail": "Invalid token"}))),
            Trouble::Limited => {
                let detail = "You are attempting to use this endpoint too frequently. Limit is 40 requests in 60 seconds";
                let mut response = refuse(429, json!({"detail": detail}));
                let reset = self.date().timestamp() + 60;
                let name = "x-sentry-rate-limit-reset";
                response.headers_mut().insert(name, reset.into());
                Err(response)
            }
            Trouble::Unavailable => {
                Err(refuse(503, json!({"detail": "Sentry is being maintained"})))
            }
            Trouble::Garbage => {
                let page = "<html><title>Corporate proxy</title><p>Please accept the terms of use.";
                Err(Box::new(
                    ([(header::CONTENT_TYPE, "text/html")], page).into_response(),
                ))
            }
            _ => Ok(()),
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

    pub(super) fn need(&self, scope: &str) -> Result<(), Box<Response>> {
        let is_lost = self.trouble == Trouble::Forbidden && scope.starts_with("event:");
        if self.scopes.contains(scope) && !is_lost {
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
    pub(super) fn page<T>(
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
        let end = offset.saturating_add(self.page).min(rows.len());
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
