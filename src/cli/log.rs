//! The ops log in the terminal.

use std::io::{BufWriter, ErrorKind, Stdout, Write, stdout};

use anyhow::Context;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::{Exit, print};
use crate::{
    bot::rebuild,
    command::{Export, Log, LogRead},
    config::Config,
    ops_log::{
        Anchor, Compared, Comparison, Days, Entry, Flaw, Kind, NewEntry, Record, Sentence, count,
        title,
    },
    store::{Access, Filter, Store},
    triage::Person,
};

/// Without a subcommand, the newest entries are shown.
const NEWEST: usize = 20;

pub(super) async fn run(
    command: Option<Log>,
    config: Config,
    now: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let command = command.unwrap_or(Log::Read(LogRead::Show { last: NEWEST }));
    let access = if let Log::Erase { .. } = command {
        Access::ReadWrite
    } else {
        Access::ReadOnly
    };
    let store = Store::open(config.database_url.expose_secret(), access).await?;
    let done = match command {
        Log::Read(LogRead::Show { last }) => show(&store, Filter::newest(last)).await,
        Log::Read(LogRead::Search(search)) => show(&store, search.try_into()?).await,
        Log::Read(LogRead::Verify { anchor }) => verify(&store, &config, anchor.as_deref()).await,
        Log::Export { format } => export(&store, format).await,
        Log::Rebuild { force } => match store.verify(None).await? {
            Err(flaw) if !force => refuse(&flaw),
            _ => rebuild(&store, &config.ops_log.path)
                .await
                .map(|()| Exit::Well),
        },
        Log::Erase { person, reason, by } => {
            erase(
                &store,
                &config,
                person,
                &reason,
                &Person::at_terminal(&by),
                now,
            )
            .await
        }
    };
    store.close().await;
    done
}

/// The newest that fit, in the order in which they happened.
async fn show(store: &Store, filter: Filter) -> anyhow::Result<Exit> {
    let mut entries = store.entries(&filter).await?;
    entries.reverse();
    print(&entries.iter().map(shown).collect::<String>())?;
    Ok(Exit::Well)
}

/// "2026-11-22 09:00:04  #12 9f3a12  round     2 need you · by anna".
fn shown(entry: &Entry) -> String {
    let words = match &entry.body {
        Some(body) => format!("{} · by {}", body.text.plain(), body.by.name()),
        None => "erased".to_owned(),
    };
    format!(
        "{}  #{} {}  {:<8}  {words}\n",
        entry.at.format("%Y-%m-%d %H:%M:%S"),
        entry.seq,
        entry.hash.short(),
        entry.kind
    )
}

async fn verify(store: &Store, config: &Config, anchor: Option<&str>) -> anyhow::Result<Exit> {
    let anchor: Option<Anchor> = anchor.map(str::parse).transpose()?;
    let path = &config.ops_log.path;
    // Opened before the database is read: a round that ends meanwhile can only leave it behind.
    let mut file = Comparison::begin(path);
    let each = |record: &Record| {
        if let Ok(comparison) = &mut file
            && let Err(error) = record.open().and_then(|entry| comparison.push(&entry))
        {
            file = Err(error);
        }
    };
    let verified = match store.verify_each(anchor, each).await? {
        Ok(verified) => verified,
        Err(flaw) => {
            print(&format!("the log does not verify: {flaw}\n"))?;
            return Ok(Exit::NeedsYou);
        }
    };
    print(&format!(
        "the chain holds: {}, {}\n",
        count(verified.entries),
        verified.head
    ))?;
    let (said, exit) = match file?.finish()? {
        Compared::Same => (" is the same to the byte".to_owned(), Exit::Well),
        Compared::Behind(entries) => (
            format!(
                " is behind by {}; the next round catches up, or `daily-ops log rebuild`",
                count(entries)
            ),
            Exit::Well,
        ),
        Compared::Differs(difference) => (format!(": {difference}"), Exit::NeedsYou),
    };
    print(&format!("the file {}{said}\n", path.display()))?;
    Ok(exit)
}

async fn export(store: &Store, format: Export) -> anyhow::Result<Exit> {
    let mut out = Out {
        buffer: BufWriter::new(stdout()),
        closed: false,
    };
    let mut days = Days::default();
    let each = |record: Record| match format {
        Export::Jsonl => {
            let line = serde_json::to_string(&record);
            let line = line.context("an entry can't be written as JSON")?;
            out.write(&(line + "\n"))
        }
        Export::Markdown => out.write(&days.next(&record.open()?)),
    };
    let done = match format {
        Export::Jsonl => store.visit(0, each).await,
        Export::Markdown => {
            print(title())?;
            store.visit(0, each).await
        }
    };
    match done.and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(_) if out.closed => Ok(Exit::Well),
        done => done.map(|()| Exit::Well),
    }
}

/// Standard output, which its reader may close.
struct Out {
    buffer: BufWriter<Stdout>,
    closed: bool,
}

impl Out {
    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let done = self.buffer.write_all(text.as_bytes());
        self.judge(done)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let done = self.buffer.flush();
        self.judge(done)
    }

    fn judge(&mut self, done: std::io::Result<()>) -> anyhow::Result<()> {
        if let Err(error) = &done {
            self.closed = error.kind() == ErrorKind::BrokenPipe;
        }
        done.context("can't write to standard output")
    }
}

/// What doesn't verify is evidence, and nothing may be written over it.
fn refuse(flaw: &Flaw) -> anyhow::Result<Exit> {
    print(&format!(
        "the log does not verify: {flaw}\nnothing was changed; keep the database and the file for the inquiry\n"
    ))?;
    Ok(Exit::NeedsYou)
}

async fn erase(
    store: &Store,
    config: &Config,
    person: String,
    reason: &str,
    by: &Person,
    now: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let entry = NewEntry {
        at: now,
        kind: Kind::Erased,
        subject: String::new(),
        by: by.clone(),
        text: Sentence::new()
            .say("a person's data was erased: ")
            .quote(reason),
        checks: Vec::new(),
    };
    if let Err(flaw) = store.verify(None).await? {
        return refuse(&flaw);
    }
    let erased = store.erase(Person::from(person), entry).await?;
    if erased.is_empty() {
        print(
            "nothing was erased: no entry is by that person or names them; give the id as the log shows it\n",
        )?;
        return Ok(Exit::NeedsYou);
    }
    rebuild(store, &config.ops_log.path).await?;
    let verified = store.verify(None).await?.map_err(anyhow::Error::from)?;
    print(&format!(
        "erased: {}; the chain holds ({}), and the file was written anew\n",
        count(erased.len() as u64),
        verified.head
    ))?;
    Ok(Exit::Well)
}
