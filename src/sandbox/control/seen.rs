use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Refused, channel, person};
use crate::sandbox::{Office, slack::Kind};

#[derive(Deserialize)]
pub(super) struct Where {
    channel: Option<String>,
    user: Option<String>,
}

pub(super) async fn messages(
    State(office): State<Arc<Office>>,
    Query(asked): Query<Where>,
) -> Answer {
    let world = office.slack.world();
    let Some(named) = &asked.channel else {
        return Err(Refused::new("which channel? /control/messages?channel=ops"));
    };
    let id = channel(&world, named)?;
    let user = match &asked.user {
        Some(named) => Some(person(&world, named)?),
        None => None,
    };
    let all = world.channels[&id].messages.iter();
    let seen = all.filter(|message| {
        let is_for = message.only_for.is_none() || message.only_for == user;
        !message.deleted && is_for
    });
    let shown = world.messages_json(&world.channels[&id], seen, true);
    Ok(Json(json!({ "channel": id, "messages": shown })))
}

pub(super) async fn views(State(office): State<Arc<Office>>, Query(asked): Query<Where>) -> Answer {
    let world = office.slack.world();
    let Some(named) = &asked.user else {
        return Err(Refused::new("whose? /control/views?user=anna"));
    };
    let user = person(&world, named)?;
    let open = world.views.iter();
    let open = open.filter(|view| view.is_open && view.user == user);
    let shown: Vec<Value> = open.map(|view| world.view_json(view)).collect();
    let home = world.homes.get(&user).map(|view| world.view_json(view));
    Ok(Json(json!({ "views": shown, "home": home })))
}

pub(super) async fn calls(State(office): State<Arc<Office>>) -> impl IntoResponse {
    let world = office.slack.world();
    let lines = world.calls.iter().map(|call| {
        let line = json!({
            "method": call.method, "args": call.args, "with_token": call.token.is_some(), "flaw": call.flaw,
        });
        format!("{line}\n")
    });
    let lines: String = lines.collect();
    ([(header::CONTENT_TYPE, "application/x-ndjson")], lines)
}

pub(super) async fn deliveries(State(office): State<Arc<Office>>) -> Json<Value> {
    let world = office.slack.world();
    let all = world.delivery.deliveries.iter().map(|delivery| {
        json!({
            "at": delivery.at.to_rfc3339(), "name": delivery.name, "by_socket": delivery.by_socket,
            "kind": match delivery.kind {
                Kind::Command => "command",
                Kind::Interaction => "interaction",
                Kind::Event => "event",
            },
            "attempt": delivery.attempt, "outcome": delivery.outcome,
            "after_milliseconds": u64::try_from(delivery.after.as_millis()).unwrap_or(u64::MAX),
        })
    });
    Json(json!({ "deliveries": all.collect::<Vec<_>>() }))
}
