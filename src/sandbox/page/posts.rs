//! What people do on the page: each is a form, answered with the way back to the page.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::timeout;
use url::form_urlencoded;

use super::{
    blocks::{Used, state, suggested, suggesting, used},
    front::Front,
    look::Look,
    switches,
};
use crate::sandbox::{
    Step,
    slack::{Delivered, Place},
};

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
        let thread = form.look.thread.as_deref();
        front.office.slack.say(me, channel, text, thread);
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

/// What somebody types into a menu whose choices the app knows is answered with the menu, filled.
pub(super) async fn suggest(
    (State(front), RawQuery(query), headers): Asked,
    body: String,
) -> Response {
    let form = Form::read(&front, query, &headers, &body);
    let (name, typed) = (form.field("suggest"), form.field("typed"));
    let found = place(&front, &form).and_then(|(place, blocks)| {
        let (block, element) = suggesting(&blocks, name)?;
        Some((place, block.to_owned(), element.clone()))
    });
    let Some((place, block, element)) = found else {
        return refused("That menu is no longer there.");
    };
    let action = element["action_id"].as_str().unwrap_or_default();
    let slack = &front.office.slack;
    let options = slack
        .suggest(&form.look.me, &place, &block, action, typed)
        .await;
    Html(suggested(name, &element, &options)).into_response()
}

/// Which element is meant, as the message or the view has it now.
fn press(front: &Front, form: &Form) -> Option<(Place, Used)> {
    let (place, blocks) = place(front, form)?;
    let used = used(front.office.bot.schedule.time_zone, &blocks, &form.fields)?;
    Some((place, used))
}

/// Where it was done, and the blocks that are there now.
fn place(front: &Front, form: &Form) -> Option<(Place, Vec<Value>)> {
    let world = front.office.slack.world();
    let view = form.field("view");
    if !view.is_empty() {
        let mut views = world.views.iter().chain(world.homes.values());
        let view = views.find(|it| it.id == view && it.user == form.look.me)?;
        let blocks = view.now()["blocks"].as_array()?.clone();
        return Some((Place::View(view.id.clone()), blocks));
    }
    let (channel, ts) = (form.field("channel"), form.field("ts"));
    let messages = &world.channels.get(channel)?.messages;
    let message = messages.iter().find(|it| it.ts == ts && !it.deleted)?;
    let place = Place::Message {
        channel: channel.to_owned(),
        ts: ts.to_owned(),
    };
    Some((place, message.now().all_blocks()))
}

async fn done_or_said(front: &Front, form: &Form, done: &Delivered) -> Response {
    let app = front.office.slack.world().app.name.clone();
    match done {
        Delivered::Failed("operation_timeout") => refused(&format!(
            "{app} took longer than 3 seconds: Slack gave up waiting."
        )),
        Delivered::Failed(why) => refused(&format!("This did not reach {app}: {why}")),
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
    done_or_said(&front, &form, &done).await
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
    if front.office.is_slack_only {
        return refused("There is no company here, only a Slack.");
    }
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
    let turned = if switches::is_of_slack(name) {
        switches::turn(&mut front.office.slack.world(), name, value)
    } else if front.office.is_slack_only {
        Err(anyhow!("there is no company here, only a Slack"))
    } else {
        front.office.world.switch(name, value)
    };
    if let Err(error) = turned {
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
        "morning" => Step::NextMorning,
        "hour" => Step::By(TimeDelta::hours(1)),
        _ => return refused("The time moves by an hour, or to the next morning."),
    };
    if let Err(error) = front.office.advance(step).await {
        return refused(&format!("{error:#}"));
    }
    front.changed.send_modify(|changes| *changes += 1);
    form.back(&front).await
}
