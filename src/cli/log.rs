//! The ops log in the terminal.

use anyhow::Context;
use chrono::{DateTime, Days, NaiveDate, Utc};
use secrecy::ExposeSecret;

use super::{Exit, print};
use crate::{
    bot::rebuild,
    command::{Export, Log, Search},
    config::Config,
    ops_log::{Anchor, Comparison, Entry, Kind, NewEntry, Sentence, heading, line, title},
    store::{Access, Direction, Filter, Store, Whom},
    triage::Person,
};

/// Without a subcommand, the newest entries are shown.
const NEWEST: usize = 20;

pub(super) async fn run(
    command: Option<Log>,
    config: Config,
    now: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let command = command.unwrap_or(Log::Show { last: NEWEST });
    let access = if let Log::Erase { .. } = command {
        Access::ReadWrite
    } else {
        Access::ReadOnly
    };
    let store = Store::open(config.database_url.expose_secret(), access).await?;
    let done = match command {
        Log::Show { last } => {
            show(
                &store,
                Filter {
                    limit: Some(last),
                    ..Filter::default()
                },
            )
            .await
        }
        Log::Search(search) => show(&store, filter(search)?).await,
        Log::Verify { anchor } => verify(&store, &config, anchor.as_deref()).await,
        Log::Export { format } => export(&store, format).await,
        Log::Rebuild => rebuild(&store, &config.ops_log.path)
            .await
            .map(|()| Exit::Well),
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

fn filter(search: Search) -> anyhow::Result<Filter> {
    let start = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
    let after = search
        .to
        .map(|day| {
            day.checked_add_days(Days::new(1))
                .context("`--to` is too late a day")
        })
        .transpose()?;
    Ok(Filter {
        words: search.words,
        kinds: search.kind,
        person: search.person,
        checks: search.check,
        from: search.from.map(start),
        to: after.map(start),
        limit: Some(search.limit),
        ..Filter::default()
    })
}

/// The newest that fit, in the order in which they happened.
async fn show(store: &Store, filter: Filter) -> anyhow::Result<Exit> {
    let mut entries = store
        .entries(&Filter {
            order: Direction::NewestFirst,
            ..filter
        })
        .await?;
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
    let verified = match store.verify(anchor).await? {
        Ok(verified) => verified,
        Err(flaw) => {
            print(&format!("the log does not verify: {flaw}\n"))?;
            return Ok(Exit::NeedsYou);
        }
    };
    print(&format!(
        "the chain holds: {} entries, {}\n",
        verified.entries, verified.head
    ))?;
    let path = &config.ops_log.path;
    let mut file = Comparison::begin(path)?;
    store.visit(0, |record| file.push(&record.open()?)).await?;
    match file.finish()? {
        None => print(&format!(
            "the file {} is the same to the byte\n",
            path.display()
        ))
        .map(|()| Exit::Well),
        Some(difference) => {
            print(&format!("{}: {difference}\n", path.display())).map(|()| Exit::NeedsYou)
        }
    }
}

async fn export(store: &Store, format: Export) -> anyhow::Result<Exit> {
    if let Export::Markdown = format {
        print(title())?;
    }
    let mut day = None;
    let each = |record: crate::ops_log::Record| match format {
        Export::Jsonl => print(
            &(serde_json::to_string(&record).context("an entry can't be written as JSON")? + "\n"),
        ),
        Export::Markdown => {
            let entry = record.open()?;
            let today = entry.at.date_naive();
            let above = if day.replace(today) == Some(today) {
                String::new()
            } else {
                heading(today)
            };
            print(&(above + &line(&entry)))
        }
    };
    store.visit(0, each).await?;
    Ok(Exit::Well)
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
    let erased = store
        .erase(Whom::Person(Person::from(person)), entry)
        .await?;
    rebuild(store, &config.ops_log.path).await?;
    let entries = if erased.len() == 1 {
        "1 entry".to_owned()
    } else {
        format!("{} entries", erased.len())
    };
    print(&format!(
        "erased: {entries}; the chain still holds, and the file was written anew\n"
    ))?;
    Ok(Exit::Well)
}
