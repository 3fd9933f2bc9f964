//! Tickets that findings have, wherever they are kept.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, types::Json};

use super::{Connection, Store, log, messages, micros};
use crate::{
    ops_log::{Annex, Entry, NewEntry},
    report::FindingKey,
    ticket::{Draft, LOCAL, Marker, StoredTicket, Ticket, TicketState, TicketStatus, Tickets},
    triage::Decision,
};

/// A ticket that a decision asks for, new or open again.
#[derive(Clone, Debug)]
pub struct NewTicket {
    pub marker: Marker,
    pub tracker: String,
    pub draft: Draft,
}

#[derive(sqlx::FromRow)]
struct Row {
    marker: String,
    number: i64,
    key: String,
    version: i64,
    tracker: String,
    state: String,
    draft: Json<Draft>,
    remote: Option<Json<Ticket>>,
    wanted_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

impl Row {
    fn open(self) -> anyhow::Result<StoredTicket> {
        let state = match self.state.as_str() {
            "wanted" => TicketStatus::Wanted,
            "open" => TicketStatus::Open,
            "closed"
                if self
                    .remote
                    .as_ref()
                    .is_some_and(|remote| remote.state == TicketState::Gone) =>
            {
                TicketStatus::Gone
            }
            "closed" => TicketStatus::Closed,
            "failed" => TicketStatus::Failed,
            other => bail!(
                "the ticket T-{} is in the state `{other}`, which this version does not know",
                self.number
            ),
        };
        Ok(StoredTicket {
            marker: Marker::stored(self.marker),
            number: self.number,
            key: self.key.parse()?,
            version: self.version,
            tracker: self.tracker,
            state,
            draft: self.draft.0,
            remote: self.remote.map(|remote| remote.0),
            wanted_at: self.wanted_at,
            closed_at: self.closed_at,
        })
    }
}

impl Store {
    /// All tickets, or only those that are open or wanted; the newest first.
    pub async fn tickets(&self, only_open: bool) -> anyhow::Result<Vec<StoredTicket>> {
        let mut snapshot = self.read().await?;
        let rows: Vec<Row> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT * FROM tickets WHERE NOT $1 OR state IN ('wanted', 'open') ORDER BY number DESC",
            )
            .bind(only_open)
            .fetch_all(c)
            .await
        })
        .context("the tickets could not be read")?;
        rows.into_iter().map(Row::open).collect()
    }

    /// The tickets of each of these findings, the oldest first; nothing for those without one.
    pub async fn tickets_of(
        &self,
        keys: impl IntoIterator<Item = &FindingKey>,
    ) -> anyhow::Result<Tickets> {
        let keys: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
        let mut snapshot = self.read().await?;
        let mut tickets = Tickets::new();
        for some in keys.chunks(super::KEYS_AT_ONCE) {
            let rows: Vec<Row> = on!(&mut snapshot.connection(), |c| {
                let mut query = QueryBuilder::new("SELECT * FROM tickets WHERE key IN (");
                let mut list = query.separated(", ");
                some.iter().for_each(|key| {
                    list.push_bind(key);
                });
                query
                    .push(") ORDER BY number")
                    .build_query_as()
                    .fetch_all(c)
                    .await
            })
            .context("the tickets could not be read")?;
            for row in rows {
                let ticket = row.open()?;
                tickets.entry(ticket.key.clone()).or_default().push(ticket);
            }
        }
        Ok(tickets)
    }

    /// Marks an open ticket as closed, with its entry in the ops log, and has the messages follow. None if it was not
    /// open any more.
    pub async fn close_ticket(
        &self,
        marker: &Marker,
        at: DateTime<Utc>,
        entry: NewEntry,
    ) -> anyhow::Result<Option<Entry>> {
        self.end_ticket(marker, None, at, entry).await
    }

    /// As [`Store::close_ticket`], of one that its tracker has no more: it is never opened again.
    pub async fn lose_ticket(
        &self,
        marker: &Marker,
        remote: &Ticket,
        at: DateTime<Utc>,
        entry: NewEntry,
    ) -> anyhow::Result<Option<Entry>> {
        let gone = Ticket {
            state: TicketState::Gone,
            ..remote.clone()
        };
        self.end_ticket(marker, Some(gone), at, entry).await
    }

    async fn end_ticket(
        &self,
        marker: &Marker,
        remote: Option<Ticket>,
        at: DateTime<Utc>,
        entry: NewEntry,
    ) -> anyhow::Result<Option<Entry>> {
        let marker = marker.clone();
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(&mut *c, |c| {
                    sqlx::query(
                        "UPDATE tickets SET state = 'closed', closed_at = $2, remote = COALESCE($3, remote) \
                         WHERE marker = $1 AND state = 'open'",
                    )
                    .bind(marker.as_str())
                    .bind(micros(at))
                    .bind(remote.clone().map(Json))
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .with_context(|| format!("the ticket {marker} could not be closed"))?;
                if rows == 0 {
                    return Ok(None);
                }
                messages::want_all(c).await?;
                log::append(c, entry, Annex::default()).await.map(Some)
            })
        })
        .await
    }
}

/// Keeps a ticket that a decision asks for. False if it is open or wanted already. The caller's transaction holds the
/// log's head, so that no two take the same number.
pub(super) async fn insert(
    c: &mut Connection<'_>,
    decision: &Decision,
    ticket: &NewTicket,
) -> anyhow::Result<bool> {
    let state = match ticket.tracker.as_str() {
        LOCAL => TicketStatus::Open,
        _ => TicketStatus::Wanted,
    };
    let rows = on!(c, |c| {
        sqlx::query(
            "INSERT INTO tickets (marker, number, key, version, tracker, state, draft, wanted_at) \
             VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM tickets), $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (marker) DO UPDATE SET version = excluded.version, tracker = excluded.tracker, \
                 state = excluded.state, draft = excluded.draft, \
                 wanted_at = CASE WHEN tickets.state = 'closed' THEN tickets.wanted_at ELSE excluded.wanted_at END, \
                 closed_at = CASE WHEN excluded.state = 'open' THEN NULL ELSE tickets.closed_at END \
             WHERE tickets.state IN ('closed', 'failed')",
        )
        .bind(ticket.marker.as_str())
        .bind(decision.key.to_string())
        .bind(decision.version)
        .bind(&ticket.tracker)
        .bind(state.as_str())
        .bind(Json(&ticket.draft))
        .bind(micros(decision.at))
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .with_context(|| format!("the ticket of {} could not be recorded", decision.key))?;
    Ok(rows == 1)
}

/// Keeps what the tracker answered to the effect of that name.
pub(super) async fn there(
    c: &mut Connection<'_>,
    effect_key: &str,
    ticket: &Ticket,
    now: Option<DateTime<Utc>>,
) -> anyhow::Result<()> {
    let (state, closed_at) = match ticket.state {
        TicketState::Open => (TicketStatus::Open, None),
        TicketState::Closed | TicketState::Gone => (TicketStatus::Closed, now.map(micros)),
    };
    on!(c, |c| {
        sqlx::query(
            "UPDATE tickets SET state = $2, remote = $3, closed_at = $4 \
             WHERE (key, version) = (SELECT key, version FROM effects WHERE effect_key = $1)",
        )
        .bind(effect_key)
        .bind(state.as_str())
        .bind(Json(ticket))
        .bind(closed_at)
        .execute(c)
        .await
        .map(drop)
    })
    .with_context(|| format!("the ticket {} could not be recorded", ticket.name))
}

/// Nothing will come of the ticket that the effect of that name asks for: it stays closed, or was never made.
pub(super) async fn not_there(c: &mut Connection<'_>, effect_key: &str) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "UPDATE tickets SET state = CASE WHEN remote IS NULL THEN 'failed' ELSE 'closed' END \
             WHERE state = 'wanted' \
             AND (key, version) = (SELECT key, version FROM effects WHERE effect_key = $1)",
        )
        .bind(effect_key)
        .execute(c)
        .await
        .map(drop)
    })
    .with_context(|| format!("the ticket of {effect_key} could not be given up"))
}

/// A closed ticket that its tracker has no more is gone: the next one is a new one.
pub(super) async fn gone(c: &mut Connection<'_>, effect_key: &str) -> anyhow::Result<()> {
    let remote: Option<(String, Json<Ticket>)> = on!(&mut *c, |c| {
        sqlx::query_as(
            "SELECT marker, remote FROM tickets WHERE state = 'wanted' AND remote IS NOT NULL \
             AND (key, version) = (SELECT key, version FROM effects WHERE effect_key = $1)",
        )
        .bind(effect_key)
        .fetch_optional(c)
        .await
    })
    .with_context(|| format!("the ticket of {effect_key} could not be read"))?;
    let Some((marker, Json(ticket))) = remote else {
        return Ok(());
    };
    let gone = Ticket {
        state: TicketState::Gone,
        ..ticket
    };
    on!(c, |c| {
        sqlx::query("UPDATE tickets SET remote = $2 WHERE marker = $1")
            .bind(&marker)
            .bind(Json(&gone))
            .execute(c)
            .await
            .map(drop)
    })
    .with_context(|| format!("the ticket of {effect_key} could not be given up"))
}
