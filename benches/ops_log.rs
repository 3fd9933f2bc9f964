//! How long a million entries of the ops log take to verify, and what reading them from SQLite adds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use daily_ops::{
    ops_log::{Annex, Head, Kind, NewEntry, Salt, Sentence, Verifier, seal},
    store::{Access, Store},
    triage::Person,
};
use tokio::task::JoinSet;

const IN_MEMORY: i64 = 1_000_000;
const STORED: i64 = 100_000;
const CHUNK: i64 = 50_000;

fn entry(n: i64) -> NewEntry {
    NewEntry {
        at: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(n),
        kind: Kind::Round,
        subject: format!("run {n}"),
        by: Person::at_terminal("anna"),
        text: Sentence::new()
            .say("2 need you, 1 unknown · health: production 3 of 4 ok · errors: 12 issues ")
            .quote("checkout times out"),
        checks: vec!["health".to_owned(), "errors".to_owned()],
    }
}

/// The entries are sealed in chunks, so that they need not all be held; only the verifying counts.
fn in_memory() -> anyhow::Result<Duration> {
    let mut head = Head::START;
    let mut verifier = Verifier::new(None);
    let mut spent = Duration::ZERO;
    while head.seq < IN_MEMORY {
        let mut records = Vec::new();
        for _ in 0..CHUNK {
            let (record, _) = seal(&head, entry(head.seq), Annex::default(), Salt([7; 16]))?;
            head = Head {
                seq: record.seq,
                hash: record.hash,
            };
            records.push(record);
        }
        let started = Instant::now();
        for record in &records {
            verifier.push(record)?;
        }
        spent += started.elapsed();
    }
    verifier.finish(&head)?;
    Ok(spent)
}

async fn stored(folder: &std::path::Path) -> anyhow::Result<(Duration, Duration)> {
    let url = format!("sqlite:{}", folder.join("daily-ops.db").display());
    let store = Arc::new(Store::open(&url, Access::ReadWrite).await?);
    let started = Instant::now();
    let mut appending = JoinSet::new();
    for n in 0..STORED {
        if appending.len() == 512
            && let Some(done) = appending.join_next().await
        {
            done??;
        }
        let store = Arc::clone(&store);
        appending.spawn(async move { store.append(entry(n)).await });
    }
    while let Some(done) = appending.join_next().await {
        done??;
    }
    let appended = started.elapsed();
    let started = Instant::now();
    store.verify(None).await??;
    let verified = started.elapsed();
    store.close().await;
    Ok((appended, verified))
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let spent = in_memory()?;
    println!("verify {IN_MEMORY} entries in memory: {spent:.2?}");
    let folder = tempfile::tempdir()?;
    let (appended, verified) = stored(folder.path()).await?;
    let rate = STORED as f64 / appended.as_secs_f64();
    println!("append {STORED} entries to SQLite, 512 at a time: {appended:.2?} ({rate:.0}/s)");
    println!("read and verify {STORED} entries from SQLite: {verified:.2?}");
    Ok(())
}
