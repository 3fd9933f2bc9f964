//! Who has an effect, and how that ends.

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Row, Settlement};
use crate::{
    report::FindingKey,
    store::{Connection, micros, tickets},
};

/// Ends the effect of that decision if nothing of it can have been sent, now or later.
pub(in crate::store) async fn cancel(
    c: &mut Connection<'_>,
    key: &FindingKey,
    version: i64,
) -> anyhow::Result<bool> {
    let effect_key: Option<String> = on!(&mut *c, |c| {
        sqlx::query_scalar(
            "UPDATE effects SET state = 'failed', last_error = 'taken back before it was sent', lease_until = NULL \
             WHERE key = $1 AND version = $2 AND first_sent_at IS NULL AND state IN ('waiting', 'running') \
             RETURNING effect_key",
        )
        .bind(key.to_string())
        .bind(version)
        .fetch_optional(c)
        .await
    })
    .with_context(|| format!("the effect of the decision about {key} could not be taken back"))?;
    if let Some(effect_key) = &effect_key {
        tickets::not_there(c, effect_key).await?;
    }
    Ok(effect_key.is_some())
}

pub(super) async fn due(
    c: &mut Connection<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<String>> {
    on!(c, |c| {
        sqlx::query_scalar(
            "SELECT effect_key FROM effects AS e \
             WHERE ((state = 'waiting' AND not_before <= $1) OR (state = 'running' AND lease_until <= $1)) \
             AND NOT EXISTS (SELECT 1 FROM effects AS earlier WHERE earlier.key = e.key \
                 AND earlier.version < e.version AND earlier.state IN ('waiting', 'running')) \
             ORDER BY not_before, effect_key LIMIT 1",
        )
        .bind(now)
        .fetch_optional(c)
        .await
    })
    .context("the due effects could not be read")
}

pub(super) async fn claim(
    c: &mut Connection<'_>,
    effect_key: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<Option<Row>> {
    on!(c, |c| {
        sqlx::query_as(
            "UPDATE effects SET state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = $3 \
             WHERE effect_key = $1 AND ((state = 'waiting' AND not_before <= $2) \
                 OR (state = 'running' AND lease_until <= $2)) \
             RETURNING *",
        )
        .bind(effect_key)
        .bind(now)
        .bind(until)
        .fetch_optional(c)
        .await
    })
    .with_context(|| format!("the effect {effect_key} could not be claimed"))
}

/// False if the claim is not the newest.
pub(super) async fn settle(
    c: &mut Connection<'_>,
    effect_key: &str,
    fence: i64,
    settlement: &Settlement,
) -> anyhow::Result<bool> {
    let result = match settlement {
        Settlement::Done(applied) => Some(Json(applied)),
        _ => None,
    };
    let (not_before, is_sent) = match settlement {
        Settlement::Retry {
            not_before,
            is_sent,
            ..
        } => (Some(micros(*not_before)), *is_sent),
        _ => (None, true),
    };
    let rows = on!(c, |c| {
        sqlx::query(
            "UPDATE effects SET state = $3, result = $4, last_error = $5, \
                 not_before = COALESCE($6, not_before), lease_until = NULL, \
                 first_sent_at = CASE WHEN $7 THEN first_sent_at ELSE NULL END \
             WHERE effect_key = $1 AND fence = $2 AND state = 'running'",
        )
        .bind(effect_key)
        .bind(fence)
        .bind(settlement.state().as_str())
        .bind(result)
        .bind(settlement.error())
        .bind(not_before)
        .bind(is_sent)
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .with_context(|| format!("the effect {effect_key} could not be settled"))?;
    Ok(rows == 1)
}
