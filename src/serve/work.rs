//! Work that is done as long as the service runs.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    bot::{Bot, Desk},
    effects::deliver_next,
    slack::{Courier, Intake},
};

/// How long those who work wait for a wake-up, before they look for what another process has recorded.
const LOOK: Duration = Duration::from_secs(1);

/// How often requests that somebody accepted and did not finish are looked for.
const LEFT_OVER: Duration = Duration::from_secs(5);

/// How often the clock is compared with the schedule.
const TICK: Duration = Duration::from_secs(20);

/// Of those, so many are dealt with at a time: one that hangs keeps no other waiting.
const LEFT_OVERS: usize = 4;

/// How often the log's file is written, at least.
const LOG: Duration = Duration::from_secs(60);

/// How long the writer of the log's file waits for more.
const TOGETHER: Duration = Duration::from_millis(100);

/// How often what is no longer kept is removed.
const PRUNE: Duration = Duration::from_secs(60 * 60);

/// How often denied attempts that have no entry in the log are counted in one.
const COUNT: Duration = Duration::from_secs(10 * 60);

/// What failed is not begun again before.
const PAUSE: Duration = Duration::from_secs(2);

/// What is being done when the service stops has so long to end. All of it is kept, and taken up at the next start.
pub(super) const GRACE: Duration = Duration::from_secs(8);

/// Effects that are carried out at a time: one slow service keeps no other waiting.
const EFFECTS: usize = 4;

/// Messages that are written at a time.
const MESSAGES: usize = 2;

/// Everything that goes on between requests.
pub(super) struct Work {
    tasks: JoinSet<()>,
}

impl Work {
    pub(super) fn start(
        bot: &Arc<Bot>,
        courier: &Arc<Courier>,
        intake: &Arc<Intake>,
        desk: &Arc<Desk>,
        channel: &str,
        shutdown: &watch::Receiver<bool>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let mut start = |what, pause, wake: fn(&Bot) -> Option<&Notify>, step: Step| {
            tasks.spawn(go_on(
                what,
                pause,
                wake,
                Arc::clone(bot),
                shutdown.clone(),
                step,
            ));
        };
        let of = Arc::clone(bot);
        start(
            "rounds",
            LOOK,
            |bot| Some(&bot.wake.rounds),
            Box::new(move || {
                let bot = Arc::clone(&of);
                Box::pin(async move { bot.run_asked_round().await })
            }),
        );
        for _ in 0..EFFECTS {
            let of = Arc::clone(bot);
            start(
                "effects",
                LOOK,
                |bot| Some(&bot.wake.effects),
                Box::new(move || {
                    let bot = Arc::clone(&of);
                    Box::pin(async move { deliver(&bot).await })
                }),
            );
        }
        for _ in 0..MESSAGES {
            let of = Arc::clone(courier);
            start(
                "messages",
                LOOK,
                |bot| Some(&bot.wake.messages),
                Box::new(move || {
                    let courier = Arc::clone(&of);
                    Box::pin(async move { courier.deliver_next().await })
                }),
            );
        }
        for _ in 0..LEFT_OVERS {
            let of = Arc::clone(intake);
            start(
                "left-over requests",
                LEFT_OVER,
                |_| None,
                Box::new(move || {
                    let intake = Arc::clone(&of);
                    Box::pin(async move { intake.take_over().await })
                }),
            );
        }
        let of = Arc::clone(bot);
        start(
            "the log's file",
            LOG,
            |bot| Some(&bot.wake.log),
            Box::new(move || {
                let bot = Arc::clone(&of);
                Box::pin(async move {
                    // What several people decide at once is written at once.
                    sleep(TOGETHER).await;
                    bot.project_waiting().await.map(|()| false)
                })
            }),
        );
        let of = Arc::clone(bot);
        start(
            "what is no longer kept",
            PRUNE,
            |_| None,
            Box::new(move || {
                let bot = Arc::clone(&of);
                Box::pin(async move {
                    let now = (bot.clock)();
                    bot.store.prune(now).await.map(|()| false)
                })
            }),
        );
        let of = Arc::clone(desk);
        start(
            "denied attempts",
            COUNT,
            |_| None,
            Box::new(move || {
                let desk = Arc::clone(&of);
                Box::pin(async move { desk.log_left_out().await.map(|()| false) })
            }),
        );
        let (of, channel) = (Arc::clone(bot), channel.to_owned());
        start(
            "the schedule",
            TICK,
            |_| None,
            Box::new(move || {
                let (bot, channel) = (Arc::clone(&of), channel.clone());
                Box::pin(async move { bot.ask_for_summary(&channel).await.map(|_| false) })
            }),
        );
        Self { tasks }
    }

    /// Waits for what is under way; after a time it is left as it is.
    pub(super) async fn end(mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(GRACE, all).await.is_err() {
            tracing::warn!("stopped in the midst of something; it is taken up at the next start");
        }
    }
}

type Step = Box<
    dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<bool>> + Send>> + Send + Sync,
>;

/// Repeats a step until the service stops: at once while there is something to do, else when woken or after the pause.
async fn go_on(
    what: &'static str,
    pause: Duration,
    wake: fn(&Bot) -> Option<&Notify>,
    bot: Arc<Bot>,
    mut shutdown: watch::Receiver<bool>,
    step: Step,
) {
    while !*shutdown.borrow() {
        let done = AssertUnwindSafe(step()).catch_unwind().await;
        let pause = match done {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) => pause,
            Ok(Err(error)) => {
                tracing::warn!("{what}: {error:#}");
                PAUSE
            }
            // What it was about stays claimed for a time, and is then taken up again.
            Err(_) => {
                tracing::error!("{what}: a defect ended this step; the work goes on");
                PAUSE
            }
        };
        let woken = async {
            match wake(&bot) {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = woken => {}
            () = sleep(pause) => {}
            _ = shutdown.changed() => {}
        }
    }
}

async fn deliver(bot: &Bot) -> anyhow::Result<bool> {
    let Some(attempt) = deliver_next(&bot.store, bot.sides(), &bot.clock).await? else {
        return Ok(false);
    };
    bot.wake.messages.notify_one();
    bot.project_later(&attempt.entries);
    Ok(true)
}
