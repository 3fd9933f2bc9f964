//! Takes requests in: kept first, then dealt with, then answered.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::TimeDelta;
use slack_morphism::prelude::SlackView;
use tokio::{
    sync::{RwLock, Semaphore},
    time::{sleep, timeout},
};
use url::Url;

use super::{
    Inbox,
    api::{ANSWERABLE, Api, ApiError, Class},
    drawing::{self, deliveries, delivery, link},
};
use crate::{
    bot::{Bot, Desk, Reply, Shown},
    command::{Asked, Press, What},
    ops_log::{Kind, NewEntry, Sentence},
    render::slack::{self, Done, Message, Picture, Stage, Subject, view},
    store::Receipt,
    triage::{Action, Person},
};

/// How long a request is ours alone.
const LEASE: TimeDelta = TimeDelta::seconds(45);

/// How long the judgement of one request may take; with the opening of a view, less than its lease.
const LIMIT: Duration = Duration::from_secs(25);

/// How long after one another a window is looked up, and filled, once more: somebody sits before it.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// After so many attempts a person has to look.
const TRIES: i64 = 5;

/// Requests that are dealt with at a time.
const AT_ONCE: usize = 64;

/// Where requests from Slack come in.
pub struct Intake {
    bot: Arc<Bot>,
    desk: Arc<Desk>,
    api: Arc<Api>,
    workspace: Url,
    places: Arc<Semaphore>,
    /// Held for reading by all that is being dealt with.
    busy: Arc<RwLock<()>>,
}

impl Inbox for Intake {
    fn accept<'a>(
        &'a self,
        asked: Asked,
    ) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let now = (self.bot.clock)();
            if let Some(receipt) = self.bot.store.accept(&asked, now, LEASE).await? {
                let intake = self.clone();
                let busy = Arc::clone(&self.busy).read_owned().await;
                tokio::spawn(async move {
                    intake.deal(asked, receipt).await;
                    drop(busy);
                });
            }
            Ok(())
        })
    }
}

/// A view that was opened, or may have been: then its id never came.
struct Window {
    trigger: String,
    id: Option<String>,
}

impl Clone for Intake {
    fn clone(&self) -> Self {
        Self {
            bot: Arc::clone(&self.bot),
            desk: Arc::clone(&self.desk),
            api: Arc::clone(&self.api),
            workspace: self.workspace.clone(),
            places: Arc::clone(&self.places),
            busy: Arc::clone(&self.busy),
        }
    }
}

impl Intake {
    pub fn new(desk: Arc<Desk>, api: Arc<Api>, workspace: Url) -> Self {
        Self {
            bot: Arc::clone(&desk.bot),
            desk,
            api,
            workspace,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            busy: Arc::default(),
        }
    }

    /// Takes over a request that somebody accepted and did not finish. False if there is none.
    pub async fn take_over(&self) -> anyhow::Result<bool> {
        let claimed = self
            .bot
            .store
            .claim_asked((self.bot.clock)(), LEASE)
            .await?;
        let Some((asked, receipt)) = claimed else {
            return Ok(false);
        };
        self.deal(asked, receipt).await;
        Ok(true)
    }

    /// Deals with a request that is kept; small while it waits for its place, as many may. What fails here stays in the
    /// inbox, and is claimed again.
    async fn deal(&self, asked: Asked, receipt: Receipt) {
        if receipt.attempts() > TRIES {
            let why = "it was tried often enough, and never came to an end";
            if let Err(error) = Box::pin(self.give_up(&asked, receipt, why)).await {
                tracing::error!("a request could not be given up: {error:#}");
            }
            return;
        }
        let opened = self.open(&asked, &receipt).await;
        let waits = match opened {
            Some(_) => &AGAIN[..2],
            None => &[],
        };
        let dealt = timeout(LIMIT, self.judge(&asked, &receipt, waits));
        let error = match dealt.await {
            Ok(Ok(reply)) => return Box::pin(self.answer(&asked, reply, opened)).await,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::error!(
            attempt = receipt.attempts(),
            "a request could not be dealt with: {error}"
        );
        if let Some(window) = &opened {
            Box::pin(self.leave(&asked, window, receipt)).await;
        } else if receipt.attempts() < TRIES {
            if receipt.attempts() == 1 {
                let line = Sentence::new()
                    .say("kept, but not done yet: something that it needs can't be asked at the moment. ")
                    .say("It is tried again by itself within a minute; you need do nothing");
                Box::pin(self.tell(&asked, slack::reply(&[line]))).await;
            }
        } else if let Err(error) = Box::pin(self.give_up(&asked, receipt, &error)).await {
            tracing::error!("a request could not be given up: {error:#}");
        }
    }

    /// What is asked is tried again at once, as often as there are waits.
    async fn judge(
        &self,
        asked: &Asked,
        receipt: &Receipt,
        waits: &[Duration],
    ) -> anyhow::Result<Reply> {
        let mut waits = waits.iter();
        loop {
            let place = self.places.acquire().await;
            // On the heap: a request that waits for its place would hold tens of kilobytes.
            let dealt = Box::pin(self.desk.answer(asked, receipt)).await;
            drop(place);
            match (dealt, waits.next()) {
                (Err(error), Some(wait)) => {
                    tracing::warn!("a window is looked up again: {error:#}");
                    sleep(*wait).await;
                }
                (dealt, _) => return dealt,
            }
        }
    }

    /// A window that can't be filled says so, and nobody tries to fill it later: it may be closed by then.
    async fn leave(&self, asked: &Asked, window: &Window, receipt: Receipt) {
        let line = Sentence::new()
            .say("this could not be looked up now. Close the window, and click again in a minute");
        self.show(asked, window, &view::told("Daily Ops", &[line]))
            .await;
        if let Err(error) = self.bot.store.finish_asked(receipt).await {
            tracing::error!("a request for a window could not be ended: {error:#}");
        }
    }

    async fn give_up(&self, asked: &Asked, receipt: Receipt, error: &str) -> anyhow::Result<()> {
        let entry = NewEntry {
            at: (self.bot.clock)(),
            kind: Kind::Alert,
            subject: String::new(),
            by: Person::program(),
            text: Sentence::new()
                .say("a request of ")
                .name(&asked.by.person())
                .say(" could not be dealt with and needs a human: ")
                .quote(error),
            checks: Vec::new(),
        };
        let Some(entry) = self.bot.store.deny(entry, receipt).await? else {
            return Ok(());
        };
        self.bot.project_later(&[entry]);
        let line = Sentence::new()
            .say("this could not be done, and nothing was changed: ")
            .quote(error);
        self.tell(asked, slack::reply(&[line])).await;
        Ok(())
    }

    /// Opens a view that says that it loads: what it will show may take longer than its trigger lasts.
    async fn open(&self, asked: &Asked, receipt: &Receipt) -> Option<Window> {
        let What::Press {
            press: Press::Open(_),
            ..
        } = &asked.what
        else {
            return None;
        };
        let trigger = asked.trigger.as_ref().filter(|_| receipt.attempts() == 1)?;
        match Box::pin(self.api.open_view(trigger, &view::loading())).await {
            Ok(id) => Some(Window {
                trigger: trigger.clone(),
                id: Some(id),
            }),
            Err(error) => {
                tracing::warn!("{error}");
                error.outcome_unknown().then(|| Window {
                    trigger: trigger.clone(),
                    id: None,
                })
            }
        }
    }

    /// Shows the person what came of it.
    async fn answer(&self, asked: &Asked, reply: Reply, opened: Option<Window>) {
        let zone = self.bot.schedule.time_zone;
        let message = match reply {
            Reply::Nothing => return,
            Reply::Private(lines) => match opened {
                Some(window) => {
                    self.show(asked, &window, &view::told("Daily Ops", &lines))
                        .await;
                    return;
                }
                None => slack::reply(&lines),
            },
            Reply::Help => slack::help(),
            Reply::Log(entries) => slack::log(&entries, zone),
            Reply::Tickets { tickets, all } => slack::tickets(&tickets, all, zone),
            Reply::Status(judged) => {
                let (versions, deliveries) = (judged.versions(), deliveries(&judged));
                let notes = judged.notes();
                slack::status(&Picture {
                    message: "",
                    asked_by: None,
                    started_at: judged.triaged.report.started_at,
                    late: None,
                    missed: &[],
                    zone,
                    next: self.bot.schedule.next((self.bot.clock)()),
                    stage: Stage::Done(Done {
                        triaged: &judged.triaged,
                        head: judged.head.as_ref(),
                        versions: &versions,
                        deliveries: &deliveries,
                        notes: &notes,
                        tickets: &judged.tickets,
                        only: &[],
                        newer: None,
                    }),
                })
            }
            Reply::Running {
                order,
                message,
                ended,
            } => {
                let error = message.as_ref().and_then(|message| {
                    let is_missing = message.ts.is_none();
                    message.last_error.clone().filter(|_| is_missing)
                });
                match error {
                    Some(error) => slack::reply(&[Sentence::new()
                        .say("the same round was asked for, but Slack does not take its message: ")
                        .quote(error)]),
                    None => {
                        let link = message.and_then(|message| link(&message, &self.workspace));
                        slack::running(order.by.as_ref(), order.at, ended, link.as_ref(), zone)
                    }
                }
            }
            Reply::View(shown) => {
                match opened {
                    Some(window) => {
                        self.show(asked, &window, &self.view(asked, *shown)).await;
                    }
                    None => self.not_opened(asked).await,
                }
                return;
            }
        };
        self.tell(asked, message).await;
    }

    fn view(&self, asked: &Asked, shown: Shown) -> SlackView {
        let zone = self.bot.schedule.time_zone;
        let place = |text: &Option<String>| text.clone().unwrap_or_default();
        match shown {
            Shown::Form {
                view,
                finding,
                item,
            } => {
                let (channel, ts) = (place(&asked.channel), place(&asked.message));
                let archives = finding.remedy(Action::Archive.name()).is_some();
                view::form(view, &finding, &item, &channel, &ts, archives).unwrap_or_else(too_old)
            }
            Shown::Ticket {
                draft,
                finding,
                item,
            } => {
                let (channel, ts) = (place(&asked.channel), place(&asked.message));
                view::ticket(&draft, &finding, &item, &channel, &ts)
            }
            Shown::Details {
                known,
                history,
                tickets,
                effect,
            } => slack::details(&Subject {
                finding: &known.finding,
                since: known.since,
                last_seen: known.last_seen,
                history: &history,
                tickets: &tickets,
                delivery: effect.as_ref().map(delivery).as_ref(),
                zone,
            }),
            Shown::Rest(pictured) => match &pictured.done {
                Some(done) => {
                    let shown = drawing::shown(&pictured, &self.bot, &self.workspace);
                    slack::rest(&done.triaged, &done.tickets, &shown, zone)
                }
                None => too_old(),
            },
        }
    }

    /// Fills a window; tries again for as long as somebody may sit before it.
    async fn show(&self, asked: &Asked, window: &Window, view: &SlackView) {
        let mut waits = AGAIN.into_iter();
        let error = loop {
            let (trigger, id) = (&window.trigger, window.id.as_deref());
            let Err(error) = self.api.update_view(trigger, id, view).await else {
                return;
            };
            tracing::warn!("{error}");
            match waits.next().filter(|_| error.passes()) {
                Some(wait) => sleep(wait.max(asked_to_wait(&error))).await,
                None => break error,
            }
        };
        match (&error.class, &window.id) {
            (Class::Expired, Some(_)) => tracing::info!("the window was closed meanwhile"),
            (Class::Expired, None) => self.not_opened(asked).await,
            _ => {
                let line = Sentence::new()
                    .say("the window could not be filled: close it, and click again");
                self.tell(asked, slack::reply(&[line])).await;
            }
        }
    }

    async fn not_opened(&self, asked: &Asked) {
        let line = Sentence::new().say("Slack did not open the window in time: click again");
        self.tell(asked, slack::reply(&[line])).await;
    }

    /// Answers the person alone. What is decided stands in the message and the log, whether this arrives or not.
    async fn tell(&self, asked: &Asked, message: Message) {
        if (self.bot.clock)() - asked.at > ANSWERABLE {
            return;
        }
        let told = match (&asked.reply_to, &asked.channel) {
            (Some(address), _) => Box::pin(self.api.respond(address, &message)).await,
            // A form comes without an address.
            (None, Some(channel)) => {
                self.api
                    .post_ephemeral(channel, &asked.by.user, &message)
                    .await
            }
            (None, None) => return,
        };
        if let Err(error) = told {
            tracing::warn!("{error}");
        }
    }

    /// Returns when everything that was being dealt with has come to its end.
    pub async fn drained(&self) {
        drop(self.busy.write().await);
    }
}

/// Longer than this nobody sits before an empty window.
fn asked_to_wait(error: &ApiError) -> Duration {
    const LONGEST: Duration = Duration::from_secs(10);
    error.retry_after.unwrap_or_default().min(LONGEST)
}

fn too_old() -> SlackView {
    let line =
        Sentence::new().say("its run is no longer kept: `/ops daily` shows how things stand");
    view::told("Daily Ops", &[line])
}
