//! Search in the ops log.

use std::ops::ControlFlow;

use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{
    Connection, Store,
    log::{PAGE, Row},
    micros, named,
};
use crate::{
    command::Search,
    ops_log::{Body, Entry, Kind},
    triage::Person,
};

/// What both directions select.
macro_rules! selection {
    () => {
        "SELECT l.seq, l.at, l.kind, l.subject, l.body_hash, l.prev_hash, l.hash, b.salt, b.body \
         FROM ops_log AS l LEFT JOIN ops_log_bodies AS b ON b.seq = l.seq \
         WHERE l.seq > $1 AND l.seq < $2 AND ($3 = '' OR $3 LIKE '%,' || l.kind || ',%') \
         AND ($4 IS NULL OR l.at >= $4) AND ($5 IS NULL OR l.at < $5)"
    };
}

/// Which entries are wanted; an empty filter wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// All must occur in the text or the subject, in any case.
    pub words: Vec<String>,
    /// Any of them.
    pub kinds: Vec<Kind>,
    /// Who wrote it, or is named in it: `terminal:anna`, or `anna` wherever she acts from.
    pub person: Option<String>,
    /// Any of them.
    pub checks: Vec<String>,
    pub from: Option<DateTime<Utc>>,
    /// Before that moment.
    pub to: Option<DateTime<Utc>>,
    pub limit: Option<usize>,
    pub order: Direction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    OldestFirst,
    NewestFirst,
}

impl TryFrom<Search> for Filter {
    type Error = anyhow::Error;

    /// The newest first.
    fn try_from(search: Search) -> anyhow::Result<Self> {
        let start = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let after = search
            .to
            .map(|day| day.succ_opt().context("`--to` is too late a day"))
            .transpose()?;
        Ok(Self {
            words: search.words,
            kinds: search.kind,
            person: search.person,
            checks: search.check,
            from: search.from.map(start),
            to: after.map(start),
            limit: Some(search.limit),
            order: Direction::NewestFirst,
        })
    }
}

impl Filter {
    /// The newest entries.
    pub fn newest(limit: usize) -> Self {
        Self {
            limit: Some(limit),
            order: Direction::NewestFirst,
            ..Self::default()
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let Some(body) = &entry.body else {
            let words_only_in_subject = contains_all(&self.words, &entry.subject);
            return words_only_in_subject && self.person.is_none() && self.checks.is_empty();
        };
        contains_all(
            &self.words,
            &format!("{}\n{}", body.text.plain(), entry.subject),
        ) && self
            .person
            .as_deref()
            .is_none_or(|person| concerns(body, person))
            && (self.checks.is_empty()
                || self.checks.iter().any(|check| body.checks.contains(check)))
    }

    /// `,round,alert,`, or nothing.
    fn kind_list(&self) -> String {
        self.kinds.iter().map(|kind| format!(",{kind},")).collect()
    }
}

fn contains_all(words: &[String], text: &str) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

fn concerns(body: &Body, person: &str) -> bool {
    let by = [body.by.id(), body.by.name()]
        .iter()
        .any(|name| name.to_lowercase() == person.to_lowercase());
    by || named::quotes(&body.text, &Person::from(person.to_owned()))
}

impl Store {
    pub async fn entries(&self, filter: &Filter) -> anyhow::Result<Vec<Entry>> {
        let limit = filter.limit.unwrap_or(usize::MAX);
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.each_entry(filter, |entry| {
            found.push(entry);
            if found.len() == limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        Ok(found)
    }

    async fn each_entry(
        &self,
        filter: &Filter,
        mut each: impl FnMut(Entry) -> ControlFlow<()> + Send,
    ) -> anyhow::Result<()> {
        let mut snapshot = self.read().await?;
        let mut from = match filter.order {
            Direction::OldestFirst => 0,
            Direction::NewestFirst => i64::MAX,
        };
        loop {
            let page = page(&mut snapshot.connection(), filter, from).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            from = last.seq;
            for row in page {
                let entry = row.read()?.open()?;
                if filter.wants(&entry) && each(entry).is_break() {
                    return Ok(());
                }
            }
        }
    }
}

/// The next page after the entry `from`, in the direction of the filter.
async fn page(c: &mut Connection<'_>, filter: &Filter, from: i64) -> anyhow::Result<Vec<Row>> {
    let (above, below) = match filter.order {
        Direction::OldestFirst => (from, i64::MAX),
        Direction::NewestFirst => (0, from),
    };
    let sql = match filter.order {
        Direction::OldestFirst => concat!(selection!(), " ORDER BY l.seq LIMIT $6"),
        Direction::NewestFirst => concat!(selection!(), " ORDER BY l.seq DESC LIMIT $6"),
    };
    on!(c, |c| {
        sqlx::query_as(sql)
            .bind(above)
            .bind(below)
            .bind(filter.kind_list())
            .bind(filter.from.map(micros))
            .bind(filter.to.map(micros))
            .bind(PAGE)
            .fetch_all(c)
            .await
    })
    .context("the ops log could not be searched")
}
