use std::sync::Arc;

use axum::{Json, extract::State};
use chrono::{SecondsFormat, TimeDelta};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Refused, read};
use crate::sandbox::{Office, Step, world::World};

/// The time moves no further at once: dates end somewhere.
const LONGEST: TimeDelta = TimeDelta::days(365);

fn played(office: &Office) -> Json<Value> {
    let all = World::scenarios().iter().map(|scenario| {
        json!({ "name": scenario.name, "title": scenario.title, "story": scenario.story })
    });
    Json(json!({
        "playing": office.world.playing().name, "scenarios": all.collect::<Vec<_>>(),
    }))
}

pub(super) async fn playing(State(office): State<Arc<Office>>) -> Json<Value> {
    played(&office)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Play {
    name: String,
}

pub(super) async fn play(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Play = read(&body)?;
    office.world.play(&asked.name)?;
    Ok(played(&office))
}

fn shown(office: &Office) -> Json<Value> {
    let switches = office.world.switches();
    let switches = switches.iter().map(|switch| {
        let choices = switch.choices.iter();
        let choices = choices.map(|it| json!({ "value": it.value, "label": it.label }));
        json!({
            "part": switch.part, "name": switch.name, "label": switch.label, "value": switch.chosen,
            "choices": choices.collect::<Vec<_>>(),
        })
    });
    Json(json!({ "switches": switches.collect::<Vec<_>>() }))
}

pub(super) async fn switches(State(office): State<Arc<Office>>) -> Json<Value> {
    shown(&office)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    name: String,
    value: String,
}

pub(super) async fn turn(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Turn = read(&body)?;
    office.world.switch(&asked.name, &asked.value)?;
    Ok(shown(&office))
}

fn clock(office: &Office) -> Json<Value> {
    let now = office.time.now();
    Json(json!({ "now": now.to_rfc3339_opts(SecondsFormat::Secs, true) }))
}

pub(super) async fn time(State(office): State<Arc<Office>>) -> Json<Value> {
    clock(&office)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: Option<String>,
    to: Option<String>,
}

pub(super) async fn advance(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Advance = read(&body)?;
    let step = match (asked.by.as_deref(), asked.to.as_deref()) {
        (Some(by), None) => {
            let by = humantime::parse_duration(by).ok();
            let by = by.and_then(|by| TimeDelta::from_std(by).ok());
            let by = by.filter(|by| *by <= LONGEST);
            Step::By(by.ok_or_else(|| {
                Refused::new("`by` is a time such as 1h 30m, and 365days at most")
            })?)
        }
        (None, Some("next morning")) => Step::NextMorning,
        _ => {
            let why = "either {\"by\": \"1h 30m\"} or {\"to\": \"next morning\"} is needed";
            return Err(Refused::new(why));
        }
    };
    office.advance(step).await?;
    Ok(clock(&office))
}
