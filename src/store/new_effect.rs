//! What a decision asks of the other side, as it is put into the outbox.

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::types::Json;

use super::{Connection, micros};
use crate::{checks::Order, permissions::Permit, report::Verb, triage::Decision};

/// An effect that a decision asks for.
#[derive(Clone, Debug)]
pub struct NewEffect {
    effect_key: String,
    order: Order,
    not_before: DateTime<Utc>,
}

impl NewEffect {
    /// `version` is that of the decision that asks for it, at that time. The effect is named for ever,
    /// `resolve:errors:4501:3`, and a second one of that name is refused. It is done in the name of whoever has the
    /// permit; one that charges somebody needs the permit for that.
    pub fn new(
        mut order: Order,
        version: i64,
        at: DateTime<Utc>,
        permit: &Permit,
    ) -> anyhow::Result<Self> {
        let moves_money = Verb::named(&order.verb).is_some_and(Verb::moves_money);
        ensure!(
            !moves_money || permit.may_move_money(),
            "this is a defect: {} would charge somebody without the permission `money`",
            permit.by().name()
        );
        let effect_key = effect_key(&order, version);
        order.by = permit.by().clone();
        order.at = at;
        order.idempotency_key = idempotency_key(&order, version, at);
        Ok(Self {
            effect_key,
            order,
            not_before: at,
        })
    }

    pub fn order(&self) -> &Order {
        &self.order
    }
}

fn effect_key(order: &Order, version: i64) -> String {
    format!("{}:{}:{version}", order.verb, order.key)
}

/// What names an order for ever to the other side, if the decision of that version asks for it at that time.
pub fn idempotency_key(order: &Order, version: i64, at: DateTime<Utc>) -> String {
    // The time keeps apart what two databases call the same.
    let name = format!("{}:{}", effect_key(order, version), at.timestamp_micros());
    format!("daily-ops-{}", hex::encode(Sha256::digest(name)))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{text::Untrusted, triage::Person};

    proptest! {
        #[test]
        fn an_idempotency_key_is_no_secret_and_is_shown_whole(version in 1i64..1_000, micros in 0i64..4_000_000_000_000_000) {
            let key = "payments:invoice/in_1".parse().expect("it is a key");
            let order = Order::new(&key, "pay", &Person::at_terminal("anna"));
            let at = DateTime::from_timestamp_micros(micros).expect("it is a time");
            let key = idempotency_key(&order, version, at);
            let line = format!("idempotency-key: {key}");
            let shown = Untrusted::from(line.as_str());
            prop_assert_eq!(shown.as_str(), line);
            prop_assert!(key.len() < 255);
        }
    }
}
