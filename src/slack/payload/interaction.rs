//! Clicks and submissions.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    Request, Unreadable, key, kind_of,
    lenient::{Flag, List, Maybe, Text},
};
use crate::{
    command::{Asked, Form, Item, Pause, Press, View, What},
    permissions::Asker,
    render::slack::{
        MENU,
        view::{self, ANSWER},
    },
    report::Severity,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "type")]
    kind: Text,
    team: Maybe<Team>,
    enterprise: Maybe<Id>,
    is_enterprise_install: Flag,
    user: Maybe<User>,
    channel: Maybe<Id>,
    container: Maybe<Container>,
    message: Maybe<Sent>,
    actions: List<Action>,
    view: Maybe<Modal>,
    response_url: Text,
    trigger_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Id {
    id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Team {
    id: Text,
    enterprise_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    id: Text,
    team_id: Text,
    enterprise_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    channel_id: Text,
    message_ts: Text,
    view_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    ts: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action {
    action_id: Text,
    block_id: Text,
    action_ts: Text,
    value: Text,
    selected_option: Maybe<Chosen>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    value: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Modal {
    id: Text,
    hash: Text,
    callback_id: Text,
    private_metadata: Text,
    state: Maybe<State>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    values: Maybe<Values>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Values {
    answer: Maybe<Block>,
    title: Maybe<Block>,
    body: Maybe<Block>,
    severity: Maybe<Block>,
    labels: Maybe<Block>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block {
    answer: Maybe<Answer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    value: Text,
    selected_user: Text,
    selected_option: Maybe<Chosen>,
}

/// What is said under an input that can't be taken, by the id of its block.
type Flaw = (&'static str, &'static str);

/// A click's, a submission's or another interaction's JSON.
pub fn interaction(json: &[u8], at: DateTime<Utc>) -> Result<Request, Unreadable> {
    let unreadable = |missing| Unreadable {
        kind: "unknown",
        missing,
    };
    let payload: Payload = serde_json::from_slice(json).map_err(|_| unreadable("its JSON"))?;
    match payload.kind.get().ok_or(unreadable("`type`"))? {
        "block_actions" => press(&payload, at),
        "view_submission" => submission(payload, at),
        other => Ok(Request::Other(kind_of(other))),
    }
}

fn press(payload: &Payload, at: DateTime<Utc>) -> Result<Request, Unreadable> {
    const KIND: &str = "block_actions";
    let unreadable = |missing| Unreadable {
        kind: KIND,
        missing,
    };
    let Some((action, ours)) = payload
        .actions
        .0
        .iter()
        .find_map(|action| Some((action, ours(action)?)))
    else {
        return Ok(Request::Other(KIND));
    };
    let (press, item) = ours.ok_or(unreadable("the button's value"))?;
    let by = asker(payload).ok_or(unreadable("`user`"))?;
    let action_ts = action.action_ts.get().ok_or(unreadable("`action_ts`"))?;
    let (channel, message) = place(payload);
    let view = payload
        .container
        .as_ref()
        .and_then(|container| container.view_id.get());
    let clicked = message.as_deref().filter(|_| view.is_none()).or(view);
    let key = key(
        "act",
        &[
            team(payload).unwrap_or_default(),
            channel.as_deref().unwrap_or_default(),
            clicked.unwrap_or_default(),
            &by.user,
            action.action_id.get().unwrap_or_default(),
            action.block_id.get().unwrap_or_default(),
            action_ts,
        ],
    );
    Ok(Request::Asked(Box::new(Asked {
        key,
        at,
        by,
        channel,
        message,
        reply_to: payload.response_url.get().map(str::to_owned),
        trigger: payload.trigger_id.get().map(str::to_owned),
        what: What::Press { press, item },
    })))
}

/// Nothing if it is no button of ours, and nothing in it if its value is none that we gave it.
fn ours(action: &Action) -> Option<Option<(Press, Item)>> {
    let id = action.action_id.get()?;
    if id == MENU {
        return Some(chosen(&action.selected_option).and_then(|value| {
            let (name, item) = value.split_once('|')?;
            Some((Press::named(name)?, item_of(item)?))
        }));
    }
    let press = Press::named(id)?;
    Some(
        action
            .value
            .get()
            .and_then(item_of)
            .map(|item| (press, item)),
    )
}

fn chosen(option: &Maybe<Chosen>) -> Option<&str> {
    option.as_ref()?.value.get()
}

fn item_of(text: &str) -> Option<Item> {
    Item::try_from(text.to_owned()).ok()
}

/// Channel and message: of the click itself, or else those that the view was opened from.
fn place(payload: &Payload) -> (Option<String>, Option<String>) {
    let container = payload.container.as_ref();
    let view = payload.view.as_ref().and_then(opened_from);
    let channel = container
        .and_then(|container| container.channel_id.get())
        .or_else(|| payload.channel.as_ref()?.id.get())
        .or(view.as_ref().map(|(_, channel, _)| *channel));
    let message = container
        .and_then(|container| container.message_ts.get())
        .or_else(|| payload.message.as_ref()?.ts.get())
        .or(view.as_ref().map(|(_, _, message)| *message));
    (channel.map(str::to_owned), message.map(str::to_owned))
}

/// Item, channel and message that a view of ours carries.
fn opened_from(view: &Modal) -> Option<(Item, &str, &str)> {
    let mut parts = view.private_metadata.get()?.split('|');
    let (item, channel, message) = (parts.next()?, parts.next()?, parts.next()?);
    let _read = parts.next();
    (parts.next().is_none()).then_some((item_of(item)?, channel, message))
}

fn submission(payload: Payload, at: DateTime<Utc>) -> Result<Request, Unreadable> {
    const KIND: &str = "view_submission";
    let unreadable = |missing| Unreadable {
        kind: KIND,
        missing,
    };
    let by = asker(&payload);
    let trigger = payload.trigger_id.take();
    let view = payload.view.take().unwrap_or_default();
    let Some(Press::Open(opened)) = view.callback_id.get().and_then(Press::named) else {
        return Ok(Request::Other(KIND));
    };
    let by = by.ok_or(unreadable("`user`"))?;
    let id = view.id.get().ok_or(unreadable("`view.id`"))?;
    let hash = view.hash.get().ok_or(unreadable("`view.hash`"))?;
    let (item, channel, message) =
        opened_from(&view).ok_or(unreadable("what the form was opened from"))?;
    let values = view.state.as_ref().and_then(|state| state.values.as_ref());
    let read = view
        .private_metadata
        .get()
        .and_then(|text| text.split('|').nth(3));
    let form = match form(opened, values, read) {
        None => return Ok(Request::Other(KIND)),
        Some(Err((block, say))) => return Ok(Request::Invalid { block, say }),
        Some(Ok(form)) => form,
    };
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Request::Asked(Box::new(Asked {
        key: key("view", &[id, hash]),
        at,
        by,
        channel: filled(channel),
        message: filled(message),
        reply_to: None,
        trigger,
        what: What::Submit { form, item },
    })))
}

/// The form that was opened, or what is to be said about its answer; nothing for views without a form. `read` names
/// what it said.
fn form(opened: View, values: Option<&Values>, read: Option<&str>) -> Option<Result<Form, Flaw>> {
    let answer = values.and_then(|values| answered(&values.answer));
    let text = || text(answer);
    let form = match opened {
        View::Details | View::Rest => return None,
        View::Ticket => {
            let empty = Values::default();
            return Some(ticket(values.unwrap_or(&empty)));
        }
        View::Remedy(verb) => Ok(Form::Remedy {
            verb,
            read: read.unwrap_or_default().to_owned(),
        }),
        View::Handle => text()
            .map(|note| Form::Handle { note })
            .ok_or("Write what was done."),
        View::Acknowledge => Ok(Form::Acknowledge { reason: text() }),
        View::Note => text()
            .map(|text| Form::Note { text })
            .ok_or("Write what is to be noted."),
        View::Assign => answer
            .and_then(|answer| answer.selected_user.get())
            .map(|to| Form::Assign { to: to.to_owned() })
            .ok_or("Choose who takes it."),
        View::Snooze => answer
            .and_then(|answer| chosen(&answer.selected_option))
            .and_then(Pause::named)
            .map(|time| Form::Snooze { time })
            .ok_or("Choose for how long."),
    };
    Some(form.map_err(|say| (ANSWER, say)))
}

fn answered(block: &Maybe<Block>) -> Option<&Answer> {
    block.as_ref()?.answer.as_ref()
}

fn text(answer: Option<&Answer>) -> Option<String> {
    let text = answer?.value.get()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn ticket(values: &Values) -> Result<Form, Flaw> {
    let severity = answered(&values.severity).and_then(|it| chosen(&it.selected_option));
    let labels = text(answered(&values.labels)).unwrap_or_default();
    Ok(Form::Ticket {
        title: text(answered(&values.title)).ok_or((view::TICKET_TITLE, "Write a title."))?,
        body: text(answered(&values.body)).unwrap_or_default(),
        severity: Severity::ALL
            .into_iter()
            .find(|one| Some(one.as_str()) == severity)
            .ok_or((view::TICKET_SEVERITY, "Choose a severity."))?,
        labels: labels
            .split(',')
            .map(|label| label.trim().to_owned())
            .collect(),
    })
}

/// The workspace that a key begins with: an organisation's installation may name none.
fn team(payload: &Payload) -> Option<&str> {
    payload
        .team
        .as_ref()
        .and_then(|team| team.id.get())
        .or_else(|| payload.user.as_ref()?.team_id.get())
        .or_else(|| payload.enterprise.as_ref()?.id.get())
}

/// The payload's organisation is the channel's, which says nothing of a user of another workspace; only where all of
/// the organisation is our home, it is left to the directory who is a stranger.
fn asker(payload: &Payload) -> Option<Asker> {
    let user = payload.user.as_ref()?;
    let here = payload.team.as_ref().and_then(|team| team.id.get());
    let theirs = user.team_id.get();
    let is_of_here = theirs.is_none() || here.is_none() || theirs == here;
    let ours = || {
        payload
            .enterprise
            .as_ref()
            .and_then(|enterprise| enterprise.id.get())
            .or_else(|| payload.team.as_ref()?.enterprise_id.get())
            .filter(|_| is_of_here || payload.is_enterprise_install.0)
    };
    Some(Asker {
        user: user.id.get()?.to_owned(),
        team: theirs.or(here).map(str::to_owned),
        enterprise: user.enterprise_id.get().or_else(ours).map(str::to_owned),
    })
}
