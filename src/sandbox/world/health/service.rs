//! One service: how it is, and what its health address therefore answers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::State as Extract,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::super::{Choice, Door, choice, part};
use crate::sandbox::time::Time;

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Well,
    Down,
    Slow,
    Hanging,
    Refusing,
    Degraded,
    LoggedOut,
    /// Every other answer is a 503.
    Flapping,
}

impl part::State for State {
    const ALL: &'static [(Self, Choice)] = &[
        (Self::Well, choice("well", "answers well")),
        (Self::Down, choice("503", "answers 503")),
        (Self::Slow, choice("slow", "answers slowly")),
        (
            Self::Hanging,
            choice("hangs", "takes requests and never answers"),
        ),
        (Self::Refusing, choice("refuses", "refuses connections")),
        (
            Self::Degraded,
            choice("wrong-body", "answers 200 with the wrong text"),
        ),
        (
            Self::LoggedOut,
            choice("login", "redirects to the login page"),
        ),
        (
            Self::Flapping,
            choice("flaps", "answers 503 every other time"),
        ),
    ];
}

/// Slower than this is a finding.
const WITHIN: Duration = Duration::from_millis(400);
/// What a slow service takes; it is asked twice, and a round with it still ends within 2 s.
const SLOW: Duration = Duration::from_millis(540);

/// May be changed at any time; what has to do with connections, only by [`Service::set`].
#[derive(Clone, Debug)]
pub struct Description {
    pub environment: &'static str,
    pub service: &'static str,
    pub state: State,
    /// When it will be well again by itself.
    pub well_at: Option<DateTime<Utc>>,
    /// What an answer takes.
    pub latency: Duration,
    /// Since it is in this state.
    pub answers: u64,
}

impl Description {
    pub fn of(environment: &'static str, service: &'static str) -> Self {
        let latency = 8 + 3 * (environment.len() + service.len()) as u64 % 17;
        Self {
            environment,
            service,
            state: State::Well,
            well_at: None,
            latency: Duration::from_millis(latency),
            answers: 0,
        }
    }

    /// "production/checkout".
    pub fn name(&self) -> String {
        format!("{}/{}", self.environment, self.service)
    }

    fn state_at(&self, now: DateTime<Utc>) -> State {
        match self.well_at {
            Some(well_at) if now >= well_at => State::Well,
            _ => self.state,
        }
    }
}

/// A service on a loopback address; it closes when it is dropped.
pub struct Service {
    behind: Behind,
    door: Door,
}

#[derive(Clone)]
struct Behind {
    described: Arc<Mutex<Description>>,
    time: Time,
}

impl Service {
    pub async fn open(described: Description, time: Time) -> anyhow::Result<Self> {
        let behind = Behind {
            described: Arc::new(Mutex::new(described)),
            time,
        };
        let routes = Router::new()
            .route("/healthz", get(answer))
            .with_state(behind.clone());
        Ok(Self {
            behind,
            door: Door::open(routes).await?,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}/healthz", self.door.address)
    }

    pub fn described(&self) -> MutexGuard<'_, Description> {
        self.behind.enter()
    }

    /// How it is now.
    pub fn state(&self) -> State {
        self.described().state_at(self.behind.time.now())
    }

    /// From now on.
    pub fn set(&self, state: State) -> anyhow::Result<()> {
        {
            let mut described = self.described();
            described.state = state;
            described.well_at = None;
            described.answers = 0;
        }
        self.door.shut(state == State::Refusing)
    }

    /// From now on, but not longer than that. A closed port opens by [`Service::set`] alone.
    pub fn set_for(&self, state: State, time: TimeDelta) -> anyhow::Result<()> {
        self.set(state)?;
        self.described().well_at = Some(self.behind.time.now() + time);
        Ok(())
    }

    pub(super) fn cut(&self, gone: bool) -> anyhow::Result<()> {
        self.door.cut(gone)
    }

    pub(super) fn configuration(&self) -> String {
        let described = self.described();
        let (environment, service) = (described.environment, described.service);
        let mut more = String::new();
        if environment == "production" {
            more = format!("runbook = \"https://wiki.example.com/runbooks/{service}\"\n");
        } else {
            more += "severity = \"medium\"\n";
        }
        format!(
            "[[checks.health.endpoints]]\nname = \"{service}\"\nenvironment = \"{environment}\"\nurl = \"{}\"\n\
             within = \"{}ms\"\ncontains = \"pass\"\n{more}",
            self.url(),
            WITHIN.as_millis(),
        )
    }
}

impl Behind {
    fn enter(&self) -> MutexGuard<'_, Description> {
        self.described
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(Extract(behind): Extract<Behind>) -> Response {
    let (state, latency, answers) = {
        let mut described = behind.enter();
        described.answers += 1;
        let state = described.state_at(behind.time.now());
        (state, described.latency, described.answers)
    };
    tokio::time::sleep(if state == State::Slow { SLOW } else { latency }).await;
    match state {
        State::Well | State::Slow | State::Refusing => pass(),
        State::Flapping if answers.is_multiple_of(2) => pass(),
        State::Down | State::Flapping => down(),
        State::Degraded => said(
            StatusCode::OK,
            r#"{"status":"degraded","database":"read only"}"#,
        ),
        State::LoggedOut => Redirect::to("/login?next=%2Fhealthz").into_response(),
        State::Hanging => std::future::pending().await,
    }
}

fn pass() -> Response {
    said(StatusCode::OK, r#"{"status":"pass"}"#)
}

fn down() -> Response {
    let said_by = r#"{"status":"fail","output":"no connection to the database: too many clients"}"#;
    said(StatusCode::SERVICE_UNAVAILABLE, said_by)
}

fn said(status: StatusCode, body: &'static str) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/health+json")],
        body,
    )
        .into_response()
}
