//! Takes a person out of what is kept beside the ops log.

use anyhow::Context;
use serde_json::Value;
use sqlx::types::Json;

use super::{Connection, named};
use crate::{ticket::Draft, triage::Person};

/// Stands where a person stood.
pub(super) const NOBODY: &str = "erased";

/// True if anything was changed.
pub(super) async fn forget(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    // Before the decisions, which tell who asked for them.
    let tickets = forget_tickets(c, person).await?;
    let decisions = forget_decisions(c, person).await?;
    let effects = forget_effects(c, person).await?;
    let memory = forget_memory(c, person).await?;
    let requests = forget_requests(c, person).await?;
    let rounds = forget_rounds(c, person).await?;
    let runs = forget_runs(c, person).await?;
    Ok(runs || tickets || decisions || effects || memory || requests || rounds)
}

/// What somebody wrote into a ticket names them at its end, and what they changed is theirs.
async fn forget_tickets(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let tickets: Vec<(String, Json<Draft>)> = on!(&mut *c, |c| {
        sqlx::query_as(
            "SELECT tickets.marker, tickets.draft FROM tickets JOIN decisions \
             ON decisions.key = tickets.key AND decisions.version = tickets.version WHERE decisions.by_id = $1",
        )
        .bind(person.id())
        .fetch_all(c)
        .await
    })
    .context("the tickets could not be read")?;
    let changed = !tickets.is_empty();
    for (marker, draft) in tickets {
        let draft = Draft {
            title: NOBODY.to_owned(),
            body: NOBODY.to_owned(),
            labels: Vec::new(),
            ..draft.0
        };
        on!(&mut *c, |c| {
            sqlx::query("UPDATE tickets SET draft = $2 WHERE marker = $1")
                .bind(&marker)
                .bind(Json(&draft))
                .execute(c)
                .await
                .map(drop)
        })
        .with_context(|| format!("the ticket {marker} could not be changed"))?;
    }
    Ok(changed)
}

async fn forget_decisions(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let decisions: Vec<(String, i64, Json<Value>)> = on!(&mut *c, |c| {
        sqlx::query_as("SELECT key, version, decision FROM decisions")
            .fetch_all(c)
            .await
    })
    .context("the decisions could not be read")?;
    let mut changed = false;
    for (key, version, mut decision) in decisions {
        let theirs = by(&decision.0, person);
        if !anonymise(&mut decision.0, person, theirs) {
            continue;
        }
        changed = true;
        on!(&mut *c, |c| {
            sqlx::query(
                "UPDATE decisions SET decision = $3, \
                 by_id = CASE WHEN by_id = $4 THEN $5 ELSE by_id END WHERE key = $1 AND version = $2",
            )
            .bind(&key)
            .bind(version)
            .bind(&decision)
            .bind(person.id())
            .bind(NOBODY)
            .execute(c)
            .await
            .map(drop)
        })
        .with_context(|| format!("the decision about {key} could not be changed"))?;
    }
    Ok(changed)
}

async fn forget_effects(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    type Effect = (String, Json<Value>, Option<Json<Value>>, Option<String>);
    // An order that is still to be carried out stays whole: without a part, it would do something else.
    let effects: Vec<Effect> = on!(&mut *c, |c| {
        sqlx::query_as(
            "SELECT effect_key, ordered, result, last_error FROM effects WHERE state NOT IN ('waiting', 'running')",
        )
        .fetch_all(c)
        .await
    })
    .context("the effects could not be read")?;
    let mut changed = false;
    for (effect_key, mut ordered, mut result, error) in effects {
        let theirs = by(&ordered.0, person);
        if !anonymise(&mut ordered.0, person, theirs) {
            continue;
        }
        changed = true;
        if let Some(result) = &mut result {
            anonymise(&mut result.0, person, true);
        }
        let error = error.map(|_| NOBODY);
        on!(&mut *c, |c| {
            sqlx::query("UPDATE effects SET ordered = $2, result = $3, last_error = $4 WHERE effect_key = $1")
                .bind(&effect_key)
                .bind(&ordered)
                .bind(&result)
                .bind(error)
                .execute(c)
                .await
                .map(drop)
        })
        .with_context(|| format!("the effect {effect_key} could not be changed"))?;
    }
    Ok(changed)
}

async fn forget_memory(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let memory: Vec<(String, Json<Value>)> = on!(&mut *c, |c| {
        sqlx::query_as("SELECT check_name, known FROM memory")
            .fetch_all(c)
            .await
    })
    .context("what earlier rounds left open could not be read")?;
    let mut changed = false;
    for (check, mut known) in memory {
        if disown(&mut known.0, person) {
            changed = true;
            on!(&mut *c, |c| {
                sqlx::query("UPDATE memory SET known = $2 WHERE check_name = $1")
                    .bind(&check)
                    .bind(&known)
                    .execute(c)
                    .await
                    .map(drop)
            })
            .with_context(|| format!("what `{check}` left open could not be changed"))?;
        }
    }
    Ok(changed)
}

/// Of a request that was dealt with, only the digest of its key is needed. One that still waits stays whole.
async fn forget_requests(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let requests: Vec<(String, Json<Value>)> = on!(&mut *c, |c| {
        sqlx::query_as("SELECT key, asked FROM inbox WHERE state = 'done'")
            .fetch_all(c)
            .await
    })
    .context("the inbox could not be read")?;
    let mut changed = false;
    for (key, asked) in requests {
        if asks(&asked.0, person) {
            changed = true;
            on!(&mut *c, |c| {
                sqlx::query("UPDATE inbox SET asked = $2 WHERE key = $1")
                    .bind(&key)
                    .bind(Json(NOBODY))
                    .execute(c)
                    .await
                    .map(drop)
            })
            .context("a request could not be changed")?;
        }
    }
    Ok(changed)
}

async fn forget_rounds(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let rounds: Vec<(String, Json<Value>)> = on!(&mut *c, |c| {
        sqlx::query_as("SELECT id, asked FROM asked_rounds")
            .fetch_all(c)
            .await
    })
    .context("the rounds that were asked for could not be read")?;
    let mut changed = false;
    for (id, mut asked) in rounds {
        if !by(&asked.0, person) {
            continue;
        }
        changed = true;
        asked.0["by"] = NOBODY.into();
        asked.0["reply_to"] = Value::Null;
        on!(&mut *c, |c| {
            sqlx::query("UPDATE asked_rounds SET asked = $2 WHERE id = $1")
                .bind(&id)
                .bind(&asked)
                .execute(c)
                .await
                .map(drop)
        })
        .context("a round that was asked for could not be changed")?;
    }
    Ok(changed)
}

/// Whether a request is the person's, or names them: as `U012ABCDEF`, `<@U012ABCDEF|anna>`, or a word of a command.
fn asks(asked: &Value, person: &Person) -> bool {
    let account = person.id().strip_prefix("slack:");
    match asked {
        Value::String(text) => {
            let words = text.split(|c: char| c.is_whitespace() || "<>|\"'“”„".contains(c));
            let mut words = words.map(|word| word.trim_start_matches('@'));
            named::is_called(text, person)
                || words.any(|word| account == Some(word) || named::is_called(word, person))
        }
        Value::Array(items) => items.iter().any(|item| asks(item, person)),
        Value::Object(fields) => fields.values().any(|field| asks(field, person)),
        _ => false,
    }
}

/// One report at a time, as there can be many large ones.
async fn forget_runs(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<bool> {
    let runs: Vec<String> = on!(&mut *c, |c| {
        sqlx::query_scalar("SELECT id FROM runs").fetch_all(c).await
    })
    .context("the runs could not be read")?;
    let mut changed = false;
    for run in runs {
        let (mut report, mut past): (Json<Value>, Option<Json<Value>>) = on!(&mut *c, |c| {
            sqlx::query_as("SELECT report, past FROM runs WHERE id = $1")
                .bind(&run)
                .fetch_one(c)
                .await
        })
        .with_context(|| format!("the run {run} could not be read"))?;
        let owned_before = past
            .as_mut()
            .is_some_and(|past| disown(&mut past.0, person));
        if disown(&mut report.0, person) || owned_before {
            changed = true;
            on!(&mut *c, |c| {
                sqlx::query("UPDATE runs SET report = $2, past = $3 WHERE id = $1")
                    .bind(&run)
                    .bind(&report)
                    .bind(&past)
                    .execute(c)
                    .await
                    .map(drop)
            })
            .with_context(|| format!("the run {run} could not be changed"))?;
        }
    }
    Ok(changed)
}

/// Whether the person decided or ordered it.
fn by(value: &Value, person: &Person) -> bool {
    value["by"] == *person.id()
}

/// Takes the person out of a decision, an order or a result; of what is `theirs`, the free text as well. True if
/// anything was changed.
fn anonymise(value: &mut Value, person: &Person, theirs: bool) -> bool {
    let Value::Object(fields) = value else {
        return false;
    };
    let mut changed = false;
    for (name, field) in fields {
        let Value::String(text) = field else {
            changed |= anonymise(field, person, theirs);
            continue;
        };
        let goes = match name.as_str() {
            "by" => text == person.id(),
            "to" | "argument" => named::is_called(text, person),
            "reason" | "text" | "said" | "note" | "title" | "body" | "comment" => {
                theirs || named::is(text, person)
            }
            "before" | "after" => named::is_called(text, person),
            _ => false,
        };
        if goes && text != NOBODY {
            NOBODY.clone_into(text);
            changed = true;
        }
    }
    changed
}

/// Takes the person away wherever they own a finding. True if they did.
fn disown(value: &mut Value, person: &Person) -> bool {
    let mut changed = false;
    match value {
        Value::Array(items) => {
            for item in items {
                changed |= disown(item, person);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "owner"
                    && field
                        .as_str()
                        .is_some_and(|owner| named::is_called(owner, person))
                {
                    *field = Value::Null;
                    changed = true;
                } else {
                    changed |= disown(field, person);
                }
            }
        }
        _ => {}
    }
    changed
}
