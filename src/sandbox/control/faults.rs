use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Refused, read};
use crate::sandbox::{
    Office,
    slack::{Fault, Spoiled, TransportFaults, Workspace},
};

/// Codes that a method may be made to refuse with.
const CODES: &[&str] = &[
    "accesslimited",
    "account_inactive",
    "cant_update_message",
    "channel_not_found",
    "expired_trigger_id",
    "fatal_error",
    "internal_error",
    "invalid_auth",
    "invalid_blocks",
    "is_archived",
    "message_not_found",
    "missing_scope",
    "msg_blocks_too_long",
    "msg_too_long",
    "not_authed",
    "not_in_channel",
    "ratelimited",
    "request_timeout",
    "restricted_action",
    "service_unavailable",
    "team_added_to_org",
    "token_expired",
    "token_revoked",
    "user_not_found",
];

const KINDS: &str = "slow, rate_limited, refused, error_before, error_after, garbage, reset_before, reset_after, stall";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    method: Option<String>,
    fault: Option<String>,
    times: Option<usize>,
    seconds: Option<u64>,
    milliseconds: Option<u64>,
    code: Option<String>,
    rate_limits: Option<bool>,
}

impl Asked {
    fn fault(&self, kind: &str) -> Result<Fault, Refused> {
        Ok(match kind {
            "slow" => {
                let time = self.milliseconds.unwrap_or(1000);
                Fault::Slow(Duration::from_millis(time))
            }
            "rate_limited" => Fault::RateLimited(self.seconds.unwrap_or(1)),
            "refused" => {
                let code = self.code.as_deref().unwrap_or("internal_error");
                let known = CODES.iter().find(|known| **known == code);
                Fault::Refused(known.ok_or_else(|| {
                    let all = CODES.join(", ");
                    Refused::new(format!("no refusal has the code {code:?}; there are {all}"))
                })?)
            }
            "error_before" => Fault::ServerError,
            "error_after" => Fault::ServerErrorAfter,
            "garbage" => Fault::Garbage,
            "reset_before" => Fault::ResetBefore,
            "reset_after" => Fault::ResetAfter,
            "stall" => Fault::Stall,
            _ => {
                let why = format!("there is no fault {kind:?}; there are {KINDS}");
                return Err(Refused::new(why));
            }
        })
    }
}

fn shown(spoilt: &Spoiled) -> Value {
    let method = match spoilt.method.as_str() {
        "response" => "response_url",
        method => method,
    };
    let left = (spoilt.left != usize::MAX).then_some(spoilt.left);
    let mut shown = json!({ "method": method, "left": left });
    let kind = match spoilt.fault {
        Fault::RateLimited(seconds) => {
            shown["seconds"] = seconds.into();
            "rate_limited"
        }
        Fault::Refused(code) => {
            shown["code"] = code.into();
            "refused"
        }
        Fault::Slow(time) => {
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            shown["milliseconds"] = time.into();
            "slow"
        }
        Fault::ServerError => "error_before",
        Fault::ServerErrorAfter => "error_after",
        Fault::ResetBefore => "reset_before",
        Fault::ResetAfter => "reset_after",
        Fault::Garbage => "garbage",
        Fault::Stall => "stall",
        Fault::Late => "late",
    };
    shown["fault"] = kind.into();
    shown
}

fn all(world: &Workspace) -> Json<Value> {
    let faults: Vec<Value> = world.spoilt().iter().map(shown).collect();
    Json(json!({ "faults": faults, "rate_limits": world.is_rate_limited }))
}

pub(super) async fn list(State(office): State<Arc<Office>>) -> Json<Value> {
    all(&office.slack.world())
}

pub(super) async fn set(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Asked = read(&body)?;
    if asked.fault.is_none() && asked.rate_limits.is_none() {
        return Err(Refused::new(format!(
            "`fault` is missing; there are {KINDS}"
        )));
    }
    if asked.times == Some(0) {
        return Err(Refused::new(
            "`times` is at least 1; left out, the fault stays",
        ));
    }
    let fault = match &asked.fault {
        Some(kind) => Some(asked.fault(kind)?),
        None => None,
    };
    let mut world = office.slack.world();
    if let Some(fault) = fault {
        let method = asked.method.as_deref().unwrap_or("*");
        if !Workspace::has_method(method) {
            let why = format!(
                "there is no method {method:?}; * stands for all, response_url for answers"
            );
            return Err(Refused::not_found(why));
        }
        world.spoil(method, fault, asked.times.unwrap_or(usize::MAX));
    }
    if let Some(is_limited) = asked.rate_limits {
        world.is_rate_limited = is_limited;
    }
    Ok(all(&world))
}

#[derive(Deserialize)]
pub(super) struct Which {
    method: Option<String>,
}

pub(super) async fn clear(
    State(office): State<Arc<Office>>,
    Query(which): Query<Which>,
) -> Json<Value> {
    let mut world = office.slack.world();
    world.heal(which.method.as_deref());
    if which.method.is_none() {
        world.is_rate_limited = false;
    }
    all(&world)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    delay_milliseconds: Option<u64>,
    duplicate: Option<bool>,
    refuse: Option<bool>,
    drop_sockets: Option<bool>,
    stall_sockets: Option<bool>,
}

fn way(faults: &TransportFaults) -> Json<Value> {
    Json(json!({
        "delay_milliseconds": u64::try_from(faults.delay.as_millis()).unwrap_or(u64::MAX),
        "duplicate": faults.duplicate, "refuse": faults.refuse, "drop_sockets": faults.drop_sockets,
        "stall_sockets": faults.stall_sockets,
    }))
}

pub(super) async fn transport(State(office): State<Arc<Office>>) -> Json<Value> {
    way(&office.slack.world().transport)
}

pub(super) async fn set_transport(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Way = read(&body)?;
    let mut world = office.slack.world();
    let now = &mut world.transport;
    *now = TransportFaults {
        delay: asked
            .delay_milliseconds
            .map_or(now.delay, Duration::from_millis),
        duplicate: asked.duplicate.unwrap_or(now.duplicate),
        refuse: asked.refuse.unwrap_or(now.refuse),
        drop_sockets: asked.drop_sockets.unwrap_or(now.drop_sockets),
        stall_sockets: asked.stall_sockets.unwrap_or(now.stall_sockets),
    };
    Ok(way(&world.transport))
}

pub(super) async fn clear_transport(State(office): State<Arc<Office>>) -> Json<Value> {
    let mut world = office.slack.world();
    world.transport = TransportFaults::default();
    way(&world.transport)
}
