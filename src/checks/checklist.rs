//! Runs checks side by side. One that fails, panics or dawdles is unknown and spoils no other.

use std::{
    collections::{BTreeMap, HashSet},
    panic,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, timeout};

use super::{Applied, Check, Earlier, Looking, NotApplied, Order, Proof, Secret, Secrets};
use crate::{
    baseline::Baselines,
    report::{Aged, Beyond, Cause, CheckReport, Outcome, Unknown},
    schedule::Clock,
    text::{Untrusted, did_you_mean, one_line},
};

/// How long a check may look if its section doesn't say `time_limit`.
pub(super) const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(20);

/// What a check is given, less than its limit, so that it can still say what it saw.
const MARGIN: Duration = Duration::from_millis(500);

/// How far a check has come: steps done, and of how many.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<(AtomicU64, AtomicU64)>);

impl Progress {
    pub fn expect(&self, steps: u64) {
        self.0.1.store(steps, Ordering::Relaxed);
    }

    pub fn step(&self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Steps done, and of how many; 0 of 0 while the check doesn't know.
    pub fn get(&self) -> (u64, u64) {
        (
            self.0.0.load(Ordering::Relaxed),
            self.0.1.load(Ordering::Relaxed),
        )
    }
}

/// What the checks are told when they look.
#[derive(Clone)]
pub struct Around {
    pub clock: Clock,
    /// By the name of the check.
    pub baselines: BTreeMap<String, Arc<Baselines>>,
    /// By the name of the check.
    pub earlier: BTreeMap<String, Arc<Vec<Earlier>>>,
    /// As in `Looking`.
    pub since: Option<DateTime<Utc>>,
}

impl Around {
    /// Nothing was counted before, and everything is looked at.
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: Arc::clone(clock),
            baselines: BTreeMap::new(),
            earlier: BTreeMap::new(),
            since: None,
        }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A check with its observation's type forgotten.
pub(super) trait AnyCheck: Send + Sync {
    fn look<'a>(&'a self, looking: &'a Looking, now: DateTime<Utc>) -> Boxed<'a, CheckReport>;
    fn before<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Option<Untrusted>, NotApplied>>;
    fn apply<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Applied, NotApplied>>;
    fn rehearse<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Vec<Untrusted>, NotApplied>>;
    fn prove<'a>(&'a self, looking: &'a Looking) -> Boxed<'a, Vec<Proof>>;
    fn wants(&self, secret: &Secret) -> bool;
}

impl<C: Check> AnyCheck for C {
    fn look<'a>(&'a self, looking: &'a Looking, now: DateTime<Utc>) -> Boxed<'a, CheckReport> {
        Box::pin(async move {
            let seen = match self.observe(looking).await {
                Ok(seen) => seen,
                Err(unknown) => return blind(C::NAME, unknown),
            };
            let measures = self.measure(&seen, now);
            let mut judged = self.evaluate(&seen, now);
            for finding in &mut judged.findings {
                finding.can_be_resolved = C::CAN_RESOLVE;
            }
            let is_found = |earlier: &&Earlier| {
                judged
                    .findings
                    .iter()
                    .any(|it| it.key == earlier.finding.key)
            };
            let missed = looking.earlier.iter().filter(|it| !is_found(it));
            let aged = missed
                .filter(|it| !self.reaches(&it.finding, &seen, now))
                .map(|it| Aged {
                    key: it.finding.key.clone(),
                    is_settled: it.is_settled,
                    beyond: match self.leaves_out(&it.finding) {
                        true => Beyond::LeftOut,
                        false => Beyond::TooOld,
                    },
                })
                .collect();
            judged
                .findings
                .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key.cmp(&b.key)));
            let mut said = HashSet::new();
            judged
                .unknown
                .retain(|unknown| said.insert(unknown.reason.clone()));
            let outcome = if judged.unknown.is_empty() {
                Outcome::Looked
            } else {
                Outcome::Unknown(judged.unknown)
            };
            CheckReport {
                name: C::NAME.to_owned(),
                outcome,
                findings: judged.findings,
                unseen: judged.unseen,
                aged,
                summary: judged.summary,
                took_ms: 0,
                measures,
            }
        })
    }

    fn before<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Option<Untrusted>, NotApplied>> {
        Box::pin(Check::before(self, order, looking))
    }

    fn apply<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Applied, NotApplied>> {
        Box::pin(Check::apply(self, order, looking))
    }

    fn rehearse<'a>(
        &'a self,
        order: &'a Order,
        looking: &'a Looking,
    ) -> Boxed<'a, Result<Vec<Untrusted>, NotApplied>> {
        Box::pin(Check::rehearse(self, order, looking))
    }

    fn prove<'a>(&'a self, looking: &'a Looking) -> Boxed<'a, Vec<Proof>> {
        Box::pin(Check::prove(self, looking))
    }

    fn wants(&self, secret: &Secret) -> bool {
        Check::wants(self, secret)
    }
}

fn blind(name: &str, unknown: Unknown) -> CheckReport {
    CheckReport {
        name: name.to_owned(),
        outcome: Outcome::Unknown(vec![unknown]),
        findings: Vec::new(),
        unseen: None,
        aged: Vec::new(),
        summary: Untrusted::default(),
        took_ms: 0,
        measures: Vec::new(),
    }
}

/// One place of the checklist.
pub(super) struct Item {
    pub(super) name: &'static str,
    pub(super) secrets: &'static [Secret],
    pub(super) configured: Option<Configured>,
}

/// A check that is on.
pub(super) struct Configured {
    pub(super) check: Arc<dyn AnyCheck>,
    pub(super) time_limit: Duration,
}

/// The configured checks, in the order of the report.
pub struct Checklist {
    pub(super) items: Vec<Item>,
    pub(super) secrets: Arc<Secrets>,
}

/// One check of the checklist, as `config check` shows it.
pub struct Listed {
    pub name: &'static str,
    pub on: bool,
    pub missing_secrets: Vec<Secret>,
}

impl Checklist {
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.items.iter().map(|item| item.name)
    }

    pub fn list(&self) -> Vec<Listed> {
        let missing = |item: &Item| {
            let configured = item.configured.as_ref();
            let wanted = |secret: &&Secret| configured.is_some_and(|it| it.check.wants(secret));
            item.secrets
                .iter()
                .filter(wanted)
                .filter(|(name, _)| self.secrets.get(name).is_none())
                .copied()
                .collect()
        };
        self.items
            .iter()
            .map(|item| Listed {
                name: item.name,
                on: item.configured.is_some(),
                missing_secrets: missing(item),
            })
            .collect()
    }

    /// One progress for each of the checks that `run` would start; `only` as in `run`.
    pub fn progress(&self, only: Option<&[String]>) -> BTreeMap<&'static str, Progress> {
        self.chosen(only)
            .filter(|item| item.configured.is_some())
            .map(|item| (item.name, Progress::default()))
            .collect()
    }

    /// An error that names the right choices if one of the names is neither a check nor among `others`.
    pub fn know(&self, names: &[String], others: &[&'static str]) -> anyhow::Result<()> {
        let known = self.names().chain(others.iter().copied());
        match names
            .iter()
            .find(|name| !known.clone().any(|known| known == name.as_str()))
        {
            None => Ok(()),
            Some(name) => bail!(
                "there is no check `{}`; {}",
                one_line(name),
                did_you_mean(name, known)
            ),
        }
    }

    fn chosen<'a>(&'a self, only: Option<&'a [String]>) -> impl Iterator<Item = &'a Item> {
        self.items
            .iter()
            .filter(move |item| only.is_none_or(|names| names.iter().any(|name| name == item.name)))
    }

    /// Runs the checks (all, or `only` those), each on a task of its own, and hands each result to `finished` as it
    /// comes. The clock is read for each judgement.
    pub async fn run(
        &self,
        only: Option<&[String]>,
        progress: &BTreeMap<&'static str, Progress>,
        around: &Around,
        mut finished: impl FnMut(&CheckReport),
    ) -> Vec<CheckReport> {
        let chosen: Vec<&Item> = self.chosen(only).collect();
        let mut running = tokio::task::JoinSet::new();
        let mut reports: Vec<Option<CheckReport>> = chosen.iter().map(|item| off(item)).collect();
        for (place, item) in chosen.iter().enumerate() {
            let Some(configured) = &item.configured else {
                continue;
            };
            let (name, check, limit) = (
                item.name,
                Arc::clone(&configured.check),
                configured.time_limit,
            );
            let progress = progress.get(name).cloned().unwrap_or_default();
            let looking = Looking {
                baselines: around.baselines.get(name).cloned().unwrap_or_default(),
                earlier: around.earlier.get(name).cloned().unwrap_or_default(),
                since: around.since,
                ..self.looking(limit, progress, &around.clock)
            };
            let clock = Arc::clone(&around.clock);
            running.spawn(async move {
                let started = Instant::now();
                let looked =
                    within(limit, async move { check.look(&looking, clock()).await }).await;
                let mut report = looked.unwrap_or_else(|mut unknown| {
                    if unknown.cause == Cause::Timeout {
                        let advice =
                            format!("; raise `time_limit` in [checks.{name}] if that is normal");
                        unknown.reason = (unknown.reason.as_str().to_owned() + &advice).into();
                    }
                    blind(name, unknown)
                });
                report.took_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                (place, report)
            });
        }
        while let Some(joined) = running.join_next().await {
            let (place, report) =
                joined.unwrap_or_else(|failure| panic::resume_unwind(failure.into_panic()));
            finished(&report);
            reports[place] = Some(report);
        }
        reports.into_iter().flatten().collect()
    }

    /// Reads what an order is about to change, through the check that its finding belongs to.
    pub async fn before(
        &self,
        order: &Order,
        limit: Duration,
        clock: &Clock,
    ) -> Result<Option<Untrusted>, NotApplied> {
        let order = order.clone();
        self.act(
            order.key.check().to_owned(),
            limit,
            clock,
            move |check, looking| Box::pin(async move { check.before(&order, &looking).await }),
        )
        .await
    }

    /// Carries an order out.
    pub async fn apply(
        &self,
        order: &Order,
        limit: Duration,
        clock: &Clock,
    ) -> Result<Applied, NotApplied> {
        let order = order.clone();
        self.act(
            order.key.check().to_owned(),
            limit,
            clock,
            move |check, looking| Box::pin(async move { check.apply(&order, &looking).await }),
        )
        .await
    }

    /// The requests that an order would send now.
    pub async fn rehearse(
        &self,
        order: &Order,
        limit: Duration,
        clock: &Clock,
    ) -> Result<Vec<Untrusted>, NotApplied> {
        let order = order.clone();
        self.act(
            order.key.check().to_owned(),
            limit,
            clock,
            move |check, looking| Box::pin(async move { check.rehearse(&order, &looking).await }),
        )
        .await
    }

    /// Whether that check's remedies could be carried out. None of a check that is off.
    pub async fn prove(
        &self,
        name: &str,
        limit: Duration,
        clock: &Clock,
    ) -> Result<Vec<Proof>, NotApplied> {
        let prove = |check: Arc<dyn AnyCheck>, looking| -> Boxed<'static, _> {
            Box::pin(async move { Ok(check.prove(&looking).await) })
        };
        self.act(name.to_owned(), limit, clock, prove).await
    }

    /// On a task of its own, as the looks are.
    async fn act<T: Send + 'static>(
        &self,
        name: String,
        limit: Duration,
        clock: &Clock,
        act: impl FnOnce(Arc<dyn AnyCheck>, Looking) -> Boxed<'static, Result<T, NotApplied>>,
    ) -> Result<T, NotApplied> {
        let configured = self
            .items
            .iter()
            .find(|item| item.name == name)
            .and_then(|item| item.configured.as_ref());
        let Some(configured) = configured else {
            let why = format!("the check `{name}` is off: switch it on in the configuration");
            let why = Unknown::new(Cause::NotConfigured, why);
            return Err(NotApplied::NotSent(why.into()));
        };
        let acting = act(
            Arc::clone(&configured.check),
            self.looking(limit, Progress::default(), clock),
        );
        match within(limit, acting).await {
            Ok(result) => result,
            Err(unknown) => Err(NotApplied::OutcomeUnknown(unknown.into())),
        }
    }

    fn looking(&self, limit: Duration, progress: Progress, clock: &Clock) -> Looking {
        Looking {
            deadline: Instant::now() + limit.saturating_sub(MARGIN),
            clock: Arc::clone(clock),
            progress,
            secrets: Arc::clone(&self.secrets),
            baselines: Arc::default(),
            since: None,
            earlier: Arc::default(),
        }
    }
}

/// Lets a check work on a task of its own: one that panics, or that never gives way, takes nothing with it.
async fn within<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Unknown> {
    let mut task = tokio::spawn(work);
    match timeout(limit, &mut task).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(failure)) => Err(Unknown::new(
            Cause::Panic,
            format!("this check has a defect: {}", panic_message(failure)),
        )),
        Err(_) => {
            task.abort();
            Err(Unknown::new(
                Cause::Timeout,
                format!("no result within {}", humantime::format_duration(limit)),
            ))
        }
    }
}

fn off(item: &Item) -> Option<CheckReport> {
    let report = CheckReport {
        name: item.name.to_owned(),
        outcome: Outcome::Off,
        findings: Vec::new(),
        unseen: None,
        aged: Vec::new(),
        summary: Untrusted::default(),
        took_ms: 0,
        measures: Vec::new(),
    };
    item.configured.is_none().then_some(report)
}

fn panic_message(failure: tokio::task::JoinError) -> String {
    match failure.try_into_panic() {
        Ok(payload) => payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "it panicked".to_owned()),
        Err(_) => "it was cancelled".to_owned(),
    }
}
