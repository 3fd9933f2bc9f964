//! The sandbox's switches for programs: a small JSON API beside the page, which describes itself (`help.txt`).

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Office, slack::Workspace};

mod company;
mod faults;
mod gestures;
mod people;
mod seen;

/// What it can be asked for, as `GET /control` prints it.
pub const HELP: &str = include_str!("help.txt");

/// Below `/control`, behind whatever decides who may ask.
pub fn routes(office: Arc<Office>) -> Router {
    Router::new()
        .route("/", get(help))
        .route(
            "/faults",
            get(faults::list).put(faults::set).delete(faults::clear),
        )
        .route(
            "/transport",
            get(faults::transport)
                .put(faults::set_transport)
                .delete(faults::clear_transport),
        )
        .route("/scenario", get(company::playing).put(company::play))
        .route("/switches", get(company::switches).put(company::turn))
        .route("/time", get(company::time).post(company::advance))
        .route("/command", post(people::command))
        .route("/click", post(people::click))
        .route("/submit", post(people::submit))
        .route("/close", post(people::close))
        .route("/message", post(people::say))
        .route("/edit", post(gestures::edit))
        .route("/reaction", post(gestures::react))
        .route("/shortcut", post(gestures::shortcut))
        .route("/suggest", post(gestures::suggest))
        .route(
            "/sockets",
            get(gestures::sockets).post(gestures::end_sockets),
        )
        .route("/messages", get(seen::messages))
        .route("/views", get(seen::views))
        .route("/calls", get(seen::calls))
        .route("/deliveries", get(seen::deliveries))
        .fallback(nothing)
        .with_state(office)
}

async fn help() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], HELP)
}

async fn nothing() -> Refused {
    Refused::not_found("there is nothing here; GET /control says what there is")
}

/// What was wrong, and what is right.
#[derive(Debug)]
struct Refused(StatusCode, String);

impl Refused {
    fn new(why: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, why.into())
    }

    fn not_found(why: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, why.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}

type Answer = Result<Json<Value>, Refused>;

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Refused> {
    serde_json::from_str(body)
        .map_err(|error| Refused::new(format!("the body is not as it should be: {error}")))
}

/// The id of somebody who is named by id or first name.
fn person(world: &Workspace, named: &str) -> Result<String, Refused> {
    let is_meant = |id: &str, name: &str| {
        let first = name.split(' ').next().unwrap_or_default();
        id == named || first.eq_ignore_ascii_case(named) || name.eq_ignore_ascii_case(named)
    };
    let mut users = world.users.iter();
    let found = users.find(|(id, user)| is_meant(id, &user.real_name));
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let all = world.users.iter();
        let all = all.map(|(id, user)| format!("{id} ({})", user.name(id)));
        let all = all.collect::<Vec<_>>().join(", ");
        Refused::not_found(format!("nobody is called {named:?}; there are {all}"))
    })
}

/// The id of a channel that is named by id or name.
fn channel(world: &Workspace, named: &str) -> Result<String, Refused> {
    let name = named.trim_start_matches('#');
    let mut channels = world.channels.iter();
    let found = channels.find(|(id, channel)| *id == name || channel.name == name);
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let all = world.channels.iter();
        let all = all.map(|(id, channel)| format!("{id} ({})", channel.name));
        let all = all.collect::<Vec<_>>().join(", ");
        Refused::not_found(format!("no channel is called {named:?}; there are {all}"))
    })
}
