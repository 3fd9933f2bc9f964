//! What a decision asks of the other side, as it is put into the outbox.

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Connection, micros};
use crate::{checks::Order, permissions::Permit, triage::Decision};

/// An effect that a decision asks for.
#[derive(Clone, Debug)]
pub struct NewEffect {
    effect_key: String,
    order: Order,
    not_before: DateTime<Utc>,
}

impl NewEffect {
    /// `version` is that of the decision that asks for it. The effect is named for ever, `resolve:errors:4501:3`, and a
    /// second one of that name is refused. It is done in the name of whoever has the permit.
    pub fn new(mut order: Order, version: i64, not_before: DateTime<Utc>, permit: &Permit) -> Self {
        order.by = permit.by().clone();
        Self {
            effect_key: format!("{}:{}:{version}", order.verb, order.key),
            order,
            not_before,
        }
    }

    pub fn order(&self) -> &Order {
        &self.order
    }
}

pub(super) async fn insert(
    c: &mut Connection<'_>,
    decision: &Decision,
    new: NewEffect,
) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "INSERT INTO effects (effect_key, key, version, ordered, state, attempts, not_before, fence) \
             VALUES ($1, $2, $3, $4, 'waiting', 0, $5, 0)",
        )
        .bind(&new.effect_key)
        .bind(decision.key.to_string())
        .bind(decision.version)
        .bind(Json(&new.order))
        .bind(micros(new.not_before))
        .execute(c)
        .await
        .map(drop)
    })
    .with_context(|| format!("the effect {} could not be recorded", new.effect_key))
}
