//! Asks all endpoints, some at a time, what looked bad a second time, and the control address if nothing answers.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::ClientConfig;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Endpoint, Health, judge,
    miss::Miss,
    names::Names,
    probe::{Asked, Prober},
    seen::{Attempt, Control, Observation, Seen},
};
use crate::{
    checks::{Looking, Progress},
    report::Unknown,
};

pub(super) async fn walk(
    health: &Health,
    tls: Option<Result<Arc<ClientConfig>, Unknown>>,
    looking: &Looking,
) -> Observation {
    looking.progress.expect(health.endpoints.len() as u64);
    let pass = Arc::new(Pass::begin(health, tls, looking));
    let workers = health.concurrency.min(health.endpoints.len());
    let mut asking = std::pin::pin!(pass.ask_all(workers));
    // While nothing answers, the control address is asked early enough to have its time.
    let left = looking
        .deadline
        .saturating_duration_since(pass.prober.began);
    let late = looking.deadline - health.timeout.min(left / 4);
    let (endpoints, control) = match timeout_at(late, &mut asking).await {
        Ok(endpoints) => (endpoints, pass.control(health).await),
        Err(_) => tokio::join!(asking, pass.control(health)),
    };
    Observation { endpoints, control }
}

struct Pass {
    endpoints: Arc<[Endpoint]>,
    prober: Prober,
    confirm_after: Duration,
    deadline: Instant,
    progress: Progress,
    queue: Mutex<Queue>,
    /// Whether any endpoint was met at all, even if only to fail.
    met: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// The first endpoint that nobody has taken.
    fresh: usize,
    /// What looked bad, by the time at which it may be asked again.
    again: VecDeque<(Instant, usize, Attempt)>,
}

enum Job {
    First(usize),
    Again(Instant, usize, Attempt),
}

impl Pass {
    fn begin(
        health: &Health,
        tls: Option<Result<Arc<ClientConfig>, Unknown>>,
        looking: &Looking,
    ) -> Self {
        Self {
            endpoints: Arc::clone(&health.endpoints),
            prober: Prober {
                tls,
                timeout: health.timeout,
                names: Names::shared(),
                began_at: (looking.clock)(),
                began: Instant::now(),
            },
            confirm_after: health.confirm_after,
            deadline: looking.deadline,
            progress: looking.progress.clone(),
            queue: Mutex::default(),
            met: AtomicBool::new(false),
        }
    }

    async fn ask_all(self: &Arc<Self>, workers: usize) -> Vec<Seen> {
        let mut seen = vec![Seen::NotAsked; self.endpoints.len()];
        let mut working = JoinSet::new();
        for _ in 0..workers {
            working.spawn(Arc::clone(self).work());
        }
        while let Some(done) = working.join_next().await {
            for (place, one) in
                done.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
            {
                seen[place] = one;
            }
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, place, first) in queue.again.drain(..) {
            seen[place] = Seen::Once(first);
        }
        seen
    }

    async fn work(self: Arc<Self>) -> Vec<(usize, Seen)> {
        let mut seen = Vec::new();
        while let Some(job) = self.next() {
            let done = match job {
                Job::First(place) => self.first(place).await.map(|one| (place, one)),
                Job::Again(due, place, first) => {
                    sleep_until(due.min(self.deadline)).await;
                    Some((place, self.again(place, first).await))
                }
            };
            if let Some(done) = done {
                self.progress.step();
                seen.push(done);
            }
        }
        seen
    }

    /// What is due a second time goes first, so that what was found is confirmed even if the time runs out.
    fn next(&self) -> Option<Job> {
        let now = Instant::now();
        if now >= self.deadline {
            return None;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let due = queue.again.front().is_some_and(|(due, ..)| *due <= now);
        if !due && queue.fresh < self.endpoints.len() {
            queue.fresh += 1;
            return Some(Job::First(queue.fresh - 1));
        }
        let (due, place, first) = queue.again.pop_front()?;
        Some(Job::Again(due, place, first))
    }

    /// `None` if the endpoint has to be asked again.
    async fn first(&self, place: usize) -> Option<Seen> {
        let endpoint = &self.endpoints[place];
        match self.ask(endpoint, &self.prober.names).await {
            Asked::Cut => Some(Seen::NotAsked),
            Asked::CouldNot(cause, reason) => {
                let reason = format!("{} was not asked: {reason}", endpoint.title());
                Some(Seen::CouldNot(Box::new(Unknown::new(cause, reason))))
            }
            Asked::Tried(attempt) if judge::trouble(endpoint, &attempt).is_none() => {
                Some(Seen::Once(attempt))
            }
            Asked::Tried(attempt) => {
                let due = Instant::now() + self.confirm_after;
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.again.push_back((due, place, attempt));
                None
            }
        }
    }

    async fn again(&self, place: usize, first: Attempt) -> Seen {
        let endpoint = &self.endpoints[place];
        match self.ask(endpoint, &Names::Fresh).await {
            Asked::Tried(second) => Seen::Twice(Box::new([first, second])),
            Asked::Cut => Seen::Once(first),
            Asked::CouldNot(cause, reason) => {
                let reason = format!(
                    "{} looked bad once and could not be asked again: {reason}",
                    endpoint.title()
                );
                Seen::NotAgain(Box::new((first, Unknown::new(cause, reason))))
            }
        }
    }

    async fn ask(&self, endpoint: &Endpoint, names: &Names) -> Asked {
        let asked = self.prober.ask(endpoint, names, self.deadline).await;
        if let Asked::Tried(attempt) = &asked
            && !judge::is_network_failure(attempt)
        {
            self.met.store(true, Ordering::Relaxed);
        }
        asked
    }

    async fn control(&self, health: &Health) -> Control {
        let Some(url) = &health.control else {
            return Control::NotAsked;
        };
        if self.met.load(Ordering::Relaxed) || Instant::now() >= self.deadline {
            return Control::NotAsked;
        }
        match self.prober.reaches(url, self.deadline).await {
            Some(Ok(())) => Control::Answered,
            Some(Err(Miss::Fault(_, reason))) => Control::Failed(reason.into()),
            Some(Err(_)) | None => Control::NotAsked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::health::{Failure, Fault};

    #[tokio::test]
    async fn what_may_not_be_asked_again_keeps_the_reason() {
        let health: Health = toml::from_str(
            r#"endpoints = [{ name = "api", environment = "test", url = "http://169.254.169.254/" }]"#,
        )
        .unwrap();
        let looking = Looking {
            deadline: Instant::now() + Duration::from_secs(5),
            clock: Arc::new(|| chrono::DateTime::UNIX_EPOCH),
            progress: Progress::default(),
            baselines: Default::default(),
            since: None,
            earlier: Arc::default(),
            secrets: Arc::default(),
        };
        let first = Attempt {
            at: chrono::DateTime::UNIX_EPOCH,
            took: Duration::ZERO,
            result: Err(Box::new(Failure {
                fault: Fault::Refused,
                reason: "refuses connections".into(),
            })),
        };
        let seen = Pass::begin(&health, None, &looking).again(0, first).await;
        let Seen::NotAgain(half) = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(
            half.1.reason.as_str(),
            "test api looked bad once and could not be asked again: 169.254.169.254 is a link-local, metadata or otherwise special address, which is never asked"
        );
    }
}
