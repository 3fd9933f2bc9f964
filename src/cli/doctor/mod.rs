//! Walks every link that a round in Slack needs, and says of each whether it holds and what to do if it doesn't.

use std::{path::Path, time::Duration};

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{Exit, print};
use crate::{
    checks::{Able, Around, Checklist, Proof},
    config::Config,
    report::{Cause, CheckReport, Outcome, Unknown},
    schedule::Clock,
    store::{Access, Store, shown},
    text::{Untrusted, count, thousands},
    trackers::Tracker,
};

mod slack;

/// Entries of the log that are recomputed; `log verify` recomputes all.
const TAIL: u32 = 10_000;

/// How long the tracker may take to answer.
const PROBE_LIMIT: Duration = Duration::from_secs(15);

/// One link, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub state: State,
    /// What was seen, and what to do now.
    pub said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ok,
    Wrong,
    /// It could not be looked at.
    Unknown,
    /// The configuration has no section for it.
    Off,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::Off => "off",
        }
    }
}

impl Link {
    fn new(name: impl Into<String>, state: State, said: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state,
            said: said.into(),
        }
    }

    fn ok(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self::new(name, State::Ok, said)
    }

    fn wrong(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self::new(name, State::Wrong, said)
    }

    fn unknown(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self::new(name, State::Unknown, said)
    }
}

pub(super) async fn run(
    config: anyhow::Result<Config>,
    path: &Path,
    clock: &Clock,
) -> anyhow::Result<Exit> {
    let links = match config {
        Ok(config) => {
            let mut links = vec![Link::ok("configuration", path.display().to_string())];
            links.extend(walk(&config, clock).await);
            links
        }
        Err(error) => vec![Link::wrong("configuration", format!("{error:#}"))],
    };
    print(&table(&links))?;
    Ok(exit(&links))
}

/// Looks at every link of a configuration.
pub async fn walk(config: &Config, clock: &Clock) -> Vec<Link> {
    let (mut links, slack, checks, remedies, tickets) = tokio::join!(
        database(config),
        slack::walk(config, clock),
        checks(&config.checklist, clock),
        remedies(&config.checklist, clock),
        tickets(&config.tracker),
    );
    links.push(file(&config.ops_log.path));
    links.push(tickets);
    links.extend(slack);
    links.extend(checks);
    links.extend(remedies);
    links
}

/// The worst of them.
pub fn exit(links: &[Link]) -> Exit {
    let any = |state| links.iter().any(|link| link.state == state);
    if any(State::Wrong) {
        Exit::NeedsYou
    } else if any(State::Unknown) {
        Exit::Unknown
    } else {
        Exit::Well
    }
}

fn table(links: &[Link]) -> String {
    let width = links
        .iter()
        .map(|link| link.name.len())
        .max()
        .unwrap_or_default();
    links
        .iter()
        .map(|link| {
            let said = link.said.trim_end().replace('\n', "\n         ");
            format!("{:<8} {:<width$}  {said}\n", link.state.as_str(), link.name)
        })
        .collect()
}

async fn database(config: &Config) -> Vec<Link> {
    let url = config.database_url.expose_secret();
    if let Some(path) = url.strip_prefix("sqlite:").map(Path::new)
        && path != Path::new(":memory:")
        && !path.exists()
    {
        let folder = folder_of(path);
        return vec![if may_write(&folder) {
            Link::ok(
                "database",
                format!("{}: the first round makes it", shown(url)),
            )
        } else {
            Link::wrong("database", no_writing(&folder))
        }];
    }
    let store = match Store::open(url, Access::ReadOnly).await {
        Ok(store) => store,
        Err(error) => return vec![Link::wrong("database", format!("{error:#}"))],
    };
    let links = vec![sound(&store, &shown(url)).await, chain(&store).await];
    store.close().await;
    links
}

async fn sound(store: &Store, shown: &str) -> Link {
    match store.inspect().await {
        Ok(seen) => match seen.damage {
            None => Link::ok("database", format!("{shown} ({})", seen.engine)),
            Some(damage) => {
                let damage = Untrusted::from(damage);
                let damage = damage.as_str();
                Link::wrong(
                    "database",
                    format!("{shown} is damaged ({damage}): restore it from a backup"),
                )
            }
        },
        Err(error) => Link::unknown("database", format!("{error:#}")),
    }
}

async fn chain(store: &Store) -> Link {
    match store.verify_tail(TAIL).await {
        Ok(Ok(_)) => match store.head().await {
            Ok(head) => Link::ok(
                "ops log",
                format!(
                    "its newest entries follow each other, up to {head} ({} at most looked at)",
                    thousands(u64::from(TAIL))
                ),
            ),
            Err(error) => Link::unknown("ops log", format!("{error:#}")),
        },
        Ok(Err(flaw)) => Link::wrong(
            "ops log",
            format!(
                "{flaw}: somebody changed it; compare a backup, and see `daily-ops log verify`"
            ),
        ),
        Err(error) => Link::unknown("ops log", format!("{error:#}")),
    }
}

/// Nothing is made in the tracker for this.
async fn tickets(tracker: &Tracker) -> Link {
    match tracker.probe(Instant::now() + PROBE_LIMIT).await {
        Ok(said) => Link::ok("tickets", said),
        Err(unknown) if is_ours_to_mend(&unknown) => Link::wrong("tickets", unknown.to_string()),
        Err(unknown) => Link::unknown("tickets", unknown.to_string()),
    }
}

/// The file is replaced as a whole, so that its folder has to be writable.
fn file(path: &Path) -> Link {
    let folder = folder_of(path);
    if may_write(&folder) {
        Link::ok("log file", path.display().to_string())
    } else {
        Link::wrong("log file", no_writing(&folder))
    }
}

/// The nearest folder above a file that exists already.
fn folder_of(path: &Path) -> std::path::PathBuf {
    path.ancestors()
        .skip(1)
        .map(|folder| {
            if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            }
        })
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// Tried with a file that is gone at once: permissions alone don't tell of a read-only disk.
fn may_write(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

fn no_writing(folder: &Path) -> String {
    format!(
        "nothing can be written into {}: give this user the right to, or name another place",
        folder.display()
    )
}

/// Runs each check once, within its own time limit; nothing of it is recorded.
async fn checks(checklist: &Checklist, clock: &Clock) -> Vec<Link> {
    let progress = checklist.progress(None);
    let reports = checklist
        .run(None, &progress, &Around::new(clock), |_| {})
        .await;
    reports.iter().map(check).collect()
}

fn check(report: &CheckReport) -> Link {
    let name = report.name.as_str();
    match &report.outcome {
        Outcome::Off => Link::new(name, State::Off, format!("no section [checks.{name}]")),
        Outcome::Looked if report.findings.is_empty() => Link::ok(name, report.summary.as_str()),
        Outcome::Looked => {
            let found = count(report.findings.len(), "finding");
            let said = format!("it can look, and has {found}: {}", report.summary.as_str());
            Link::ok(name, said)
        }
        Outcome::Unknown(reasons) => {
            let state = if reasons.iter().any(is_ours_to_mend) {
                State::Wrong
            } else {
                State::Unknown
            };
            let reasons: Vec<&str> = reasons.iter().map(|why| why.reason.as_str()).collect();
            Link::new(name, state, reasons.join("\n"))
        }
    }
}

/// What the checks' remedies need beyond their looks; none is carried out.
async fn remedies(checklist: &Checklist, clock: &Clock) -> Vec<Link> {
    let mut links = Vec::new();
    for listed in checklist.list().iter().filter(|listed| listed.on) {
        let name = listed.name;
        match checklist.prove(name, PROBE_LIMIT, clock).await {
            Ok(proofs) => links.extend(proofs.into_iter().map(|proof| remedy(name, proof))),
            Err(why) => links.push(Link::unknown(format!("{name} remedies"), why.to_string())),
        }
    }
    links
}

fn remedy(check: &str, proof: Proof) -> Link {
    let name = format!("{check} {}", proof.remedy.as_str());
    match proof.able {
        Able::Yes(said) => Link::ok(name, said.as_str()),
        Able::Off(said) => Link::new(name, State::Off, said.as_str()),
        Able::No(unknown) if is_ours_to_mend(&unknown) => Link::wrong(name, unknown.to_string()),
        Able::No(unknown) => Link::unknown(name, unknown.to_string()),
    }
}

/// A credential, a permission, an address: what waiting does not mend.
fn is_ours_to_mend(unknown: &Unknown) -> bool {
    matches!(
        unknown.cause,
        Cause::Auth
            | Cause::Forbidden
            | Cause::NotFound
            | Cause::NotConfigured
            | Cause::Refused
            | Cause::Redirect
            | Cause::ClockSkew
            | Cause::Tls
    )
}
