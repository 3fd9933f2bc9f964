//! Erases a person's data, and leaves the chain whole.

use anyhow::Context;

use super::{
    Connection, Store,
    forget::{NOBODY, forget},
    log, named,
};
use crate::{
    ops_log::{Annex, Body, NewEntry},
    triage::Person,
};

impl Store {
    /// Erases the bodies and salts of the entries that this person (by id) wrote or that quote their name or id as a
    /// whole, takes them out of decisions, settled effects, memory, runs, rounds and requests, and appends `entry`, which lists what is
    /// gone. Gives the numbers of the erased entries.
    ///
    /// What stays: a name within somebody else's sentence; and what an open effect or a waiting request needs to be
    /// carried out, which goes when the person is erased again after it was settled.
    pub async fn erase(&self, person: Person, mut entry: NewEntry) -> anyhow::Result<Vec<i64>> {
        let erased = self
            .write(move |c| {
                Box::pin(async move {
                    let concerned = concerned(c, &person).await?;
                    for seq in &concerned.entries {
                        blank(c, *seq).await?;
                    }
                    let forgotten = forget(c, &person).await?;
                    if entry.by == person {
                        entry.by = Person::from(NOBODY.to_owned());
                    }
                    if forgotten || !concerned.entries.is_empty() {
                        log::append(
                            c,
                            entry,
                            Annex {
                                erased: concerned.listed,
                                ..Annex::default()
                            },
                        )
                        .await?;
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

async fn concerned(c: &mut Connection<'_>, person: &Person) -> anyhow::Result<Concerned> {
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
            if body.by == *person || named::quotes(&body.text, person) {
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
