//! What people do on the page: each is a form, answered with the way back to the page.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::time::timeout;
use url::form_urlencoded;

use super::{
    blocks::{Used, state, used},
    front::{Errors, Front},
    look::Look,
    switches,
};
use crate::sandbox::slack::{Delivered, Place};

/// Without a script nothing is pushed: the page that is gone back to should show what was done.
const SETTLING: Duration = Duration::from_millis(700);

/// A form that came in, and from which window.
struct Form {
    look: Look,
    query: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    /// Sent by the script, which shows what is pushed.
    is_live: bool,
}

impl Form {
    fn read(front: &Front, query: Option<String>, headers: &HeaderMap, body: &str) -> Self {
        let query = query.unwrap_or_default();
        let pairs = |text: &str| {
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect()
        };
        Self {
            look: Look::read(&query, &front.office.slack.world()),
            query: pairs(&query),
            fields: pairs(body),
            is_live: headers.contains_key("x-live"),
        }
    }

    fn field(&self, name: &str) -> &str {
        let found = self
            .fields
            .iter()
            .chain(&self.query)
            .find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    async fn back(&self, front: &Front) -> Response {
        if self.is_live {
            return StatusCode::NO_CONTENT.into_response();
        }
        let mut changes = front.office.slack.changes();
        let settle = async { while timeout(SETTLING, changes.changed()).await.is_ok() {} };
        timeout(Duration::from_secs(3), settle).await.ok();
        let to = [(header::LOCATION, self.look.at("/"))];
        (StatusCode::SEE_OTHER, to).into_response()
    }
}

/// A sentence for the person.
pub(super) fn refused(why: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, why.to_owned()).into_response()
}

type Asked = (State<Arc<Front>>, RawQuery, HeaderMap);

pub(super) async fn say((State(front), RawQuery(query), headers): Asked, body: String) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let text = form.field("text").trim();
    if text.is_empty() {
        return refused("There is nothing to send.");
    }
    let (me, channel) = (&form.look.me, &form.look.channel);
    if text.starts_with('/') {
        front.office.slack.command(me, channel, text).await;
    } else {
        front.office.slack.world().say(channel, me, text);
    }
    form.back(&front).await
}

pub(super) async fn act((State(front), RawQuery(query), headers): Asked, body: String) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let Some((place, used)) = press(&front, &form) else {
        return refused("That is no longer there: the message was changed meanwhile.");
    };
    let (block, action) = (used.block.as_str(), used.action.as_str());
    let done = front
        .office
        .slack
        .act(&form.look.me, &place, block, action, used.chosen)
        .await;
    done_or_said(&front, &form, &done).await
}

/// Which element is meant, as the message or the view has it now.
fn press(front: &Front, form: &Form) -> Option<(Place, Used)> {
    let world = front.office.slack.world();
    let zone = front.office.bot.schedule.time_zone;
    let view = form.field("view");
    if !view.is_empty() {
        let mut views = world.views.iter().chain(world.homes.values());
        let view = views.find(|it| it.id == view && it.user == form.look.me)?;
        let used = used(zone, view.now()["blocks"].as_array()?, &form.fields)?;
        return Some((Place::View(view.id.clone()), used));
    }
    let (channel, ts) = (form.field("channel"), form.field("ts"));
    let messages = &world.channels.get(channel)?.messages;
    let message = messages.iter().find(|it| it.ts == ts && !it.deleted)?;
    let used = used(zone, &message.now().blocks, &form.fields)?;
    let place = Place::Message {
        channel: channel.to_owned(),
        ts: ts.to_owned(),
    };
    Some((place, used))
}

async fn done_or_said(front: &Front, form: &Form, done: &Delivered) -> Response {
    match done {
        Delivered::Failed("operation_timeout") => {
            refused("Daily Ops took longer than 3 seconds: Slack gave up waiting.")
        }
        Delivered::Failed(why) => refused(&format!("This did not reach Daily Ops: {why}")),
        Delivered::Acked { .. } => form.back(front).await,
    }
}

pub(super) async fn submit(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let id = form.field("view");
    let values = {
        let world = front.office.slack.world();
        let view = world.views.iter().find(|view| view.id == id);
        let blocks = view.and_then(|view| view.now()["blocks"].as_array());
        let zone = front.office.bot.schedule.time_zone;
        blocks.map(|blocks| state(zone, blocks, &form.fields))
    };
    let Some(values) = values else {
        return refused("That window is closed.");
    };
    let done = front.office.slack.submit(&form.look.me, id, values).await;
    if let Delivered::Acked { body, .. } = &done {
        front.refuse(id, errors(body));
    }
    done_or_said(&front, &form, &done).await
}

fn errors(body: &Value) -> Errors {
    let errors = body["errors"].as_object();
    let said = errors.into_iter().flatten();
    said.filter_map(|(block, why)| Some((block.clone(), why.as_str()?.to_owned())))
        .collect()
}

pub(super) async fn close(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    front
        .office
        .slack
        .close(&form.look.me, form.field("view"))
        .await;
    form.back(&front).await
}

pub(super) async fn play(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    if let Err(error) = front.office.world.play(form.field("scenario")) {
        return refused(&format!("{error:#}"));
    }
    form.back(&front).await
}

pub(super) async fn switch(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let (name, value) = (form.field("switch"), form.field("value"));
    if !switches::turn(&mut front.office.slack.world(), name, value)
        && let Err(error) = front.office.world.switch(name, value)
    {
        return refused(&format!("{error:#}"));
    }
    form.back(&front).await
}

pub(super) async fn time(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let step = match form.field("to") {
        "morning" => crate::sandbox::Step::NextMorning,
        _ => crate::sandbox::Step::By(chrono::TimeDelta::hours(1)),
    };
    if let Err(error) = front.office.advance(step).await {
        return refused(&format!("{error:#}"));
    }
    front.changed.send_modify(|changes| *changes += 1);
    form.back(&front).await
}
