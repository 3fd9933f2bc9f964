//! Erases a person's data, and leaves the chain whole.

use anyhow::Context;
use serde_json::Value;
use sqlx::types::Json;

use super::{Connection, Store, log};
use crate::{
    ops_log::{Body, NewEntry},
    triage::Person,
};

/// Stands where a person stood.
const NOBODY: &str = "erased";

/// Whose data goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Whom {
    /// Every entry that this person wrote, or that names them.
    Person(Person),
    /// These entries.
    Entries(Vec<i64>),
}

impl Store {
    /// Erases the bodies of entries and their salts, takes the person out of decisions and effects, and appends
    /// `entry`, which lists what is gone. Gives the numbers of the erased entries.
    pub async fn erase(&self, whom: Whom, mut entry: NewEntry) -> anyhow::Result<Vec<i64>> {
        let erased = self
            .write(move |c| {
                Box::pin(async move {
                    let concerned = concerned(c, &whom).await?;
                    for seq in &concerned.entries {
                        blank(c, *seq).await?;
                    }
                    if let Whom::Person(person) = &whom {
                        forget(c, person).await?;
                        if entry.by == *person {
                            entry.by = Person::from(NOBODY.to_owned());
                        }
                    }
                    if !concerned.entries.is_empty() {
                        log::append(c, entry, concerned.listed).await?;
                    }
                    Ok(concerned.entries)
                })
            })
            .await?;
        if let super::Engine::Sqlite(database) = &self.engine {
            database.fold().await?;
        }
        Ok(erased)
    }
}

struct Concerned {
    entries: Vec<i64>,
    /// These, and what earlier `erased` entries among them listed: their lists go with them.
    listed: Vec<i64>,
}

async fn concerned(c: &mut Connection<'_>, whom: &Whom) -> anyhow::Result<Concerned> {
    let mut found = Concerned {
        entries: Vec::new(),
        listed: Vec::new(),
    };
    let mut after = 0;
    loop {
        let page = log::page(c, after).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for row in page {
            let (seq, Ok(Some(bytes))) = (row.seq, row.body) else {
                continue;
            };
            let body: Body = serde_json::from_str(&bytes).with_context(|| {
                format!("entry #{seq} has no readable body; `log verify` says more")
            })?;
            let wanted = match whom {
                Whom::Person(person) => body.by == *person || names(&body.text.plain(), person),
                Whom::Entries(entries) => entries.contains(&seq),
            };
            if wanted {
                found.entries.push(seq);
                found.listed.push(seq);
                found.listed.extend(body.erased);
            }
        }
    }
    found.listed.sort_unstable();
    found.listed.dedup();
    Ok(found)
}

async fn blank(c: &mut Connection<'_>, seq: i64) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("UPDATE ops_log_bodies SET salt = NULL, body = NULL WHERE seq = $1")
            .bind(seq)
            .execute(c)
            .await
            .map(drop)
    })
    .with_context(|| format!("the body of entry #{seq} could not be erased"))
}

/// Takes the person out of decisions and effects, which go on without them.
async fn forget(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<()> {
    let decisions: Vec<(String, i64, Json<Value>)> = on!(&mut *c, |c| {
        sqlx::query_as("SELECT key, version, decision FROM decisions")
            .fetch_all(c)
            .await
    })
    .context("the decisions could not be read")?;
    for (key, version, mut decision) in decisions {
        if anonymise(&mut decision.0, person) {
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
    }
    forget_effects(c, person).await
}

async fn forget_effects(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<()> {
    // An order that is still to be carried out keeps its argument: without it, it would do something else.
    type Effect = (String, Json<Value>, Option<Json<Value>>, Option<String>);
    let effects: Vec<Effect> = on!(&mut *c, |c| {
        sqlx::query_as(
            "SELECT effect_key, ordered, result, last_error FROM effects WHERE state NOT IN ('waiting', 'running')",
        )
        .fetch_all(c)
        .await
    })
    .context("the effects could not be read")?;
    for (effect_key, mut ordered, mut result, error) in effects {
        anonymise(&mut ordered.0, person);
        if let Some(result) = &mut result {
            anonymise(&mut result.0, person);
        }
        let error = error.filter(|error| !names(error, person));
        on!(&mut *c, |c| {
            sqlx::query("UPDATE effects SET ordered = $2, result = $3, last_error = $4 WHERE effect_key = $1")
                .bind(&effect_key)
                .bind(&ordered)
                .bind(&result)
                .bind(&error)
                .execute(c)
                .await
                .map(drop)
        })
        .with_context(|| format!("the effect {effect_key} could not be changed"))?;
    }
    Ok(())
}

/// Replaces each text that names the person, except the keys that hold the data together. True if there was one.
fn anonymise(value: &mut Value, person: &Person) -> bool {
    match value {
        Value::String(text) if names(text, person) => {
            NOBODY.clone_into(text);
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |changed, item| anonymise(item, person) | changed),
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(name, field)| {
                !(field.is_string() && matches!(name.as_str(), "key" | "verb" | "action" | "at"))
            })
            .fold(false, |changed, (_, field)| {
                anonymise(field, person) | changed
            }),
        _ => false,
    }
}

/// Whether a text holds the person's name, or their id, as a word of its own.
fn names(text: &str, person: &Person) -> bool {
    let text = text.to_lowercase();
    [person.id(), person.name()].iter().any(|name| {
        let name = name.to_lowercase();
        !name.is_empty()
            && text.match_indices(&name).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + name.len()..].chars().next();
                ![before, after]
                    .into_iter()
                    .flatten()
                    .any(char::is_alphanumeric)
            })
    })
}
