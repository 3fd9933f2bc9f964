//! The loops over the real binary.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{
    dealings::Dealings,
    judge::{Findings, judge},
    node::Launch,
    options::{Dice, Options},
    people::{Memory, use_it},
    postgres::Postgres,
    requests::{Request, Wish},
    site::{Site, channel_id},
    upstream::Faults,
};
use crate::world::skipped::needs;

const PEOPLE: u64 = 6;

/// After so many kills nobody runs for an hour.
const A_WHILE: usize = 12;

/// How a life goes.
pub(super) struct Life {
    pub(super) launch: Launch,
    pub(super) server: Option<String>,
    /// A server of our own, which is stopped hard now and then.
    pub(super) postgres: Option<Postgres>,
    pub(super) seed: u64,
    pub(super) kills: usize,
    pub(super) slack: Faults,
    pub(super) sentry: Faults,
    /// What stays so while it comes to rest.
    pub(super) calm: Faults,
    /// How GitHub and Stripe fail, if it has dealings with them.
    pub(super) dealings: Option<Faults>,
    /// Between two kills, in milliseconds.
    pub(super) pause: (u64, u64),
}

impl Life {
    pub(super) async fn begin(&self) -> Site {
        let dealings = match self.dealings {
            Some(faults) => Some(Dealings::open(faults, self.seed).await),
            None => None,
        };
        let server = self.server.as_deref();
        let mut site = Site::open(&self.launch, server, self.seed, dealings).await;
        site.start();
        let user = site.somebody().expect("somebody is there");
        let channel = channel_id(0);
        let wish = Wish::Round {
            channel: channel.clone(),
        };
        let mut first = Request::command(user, wish, &channel, "daily", &site.reply_to());
        let since = Instant::now();
        while !site.tables.are_there().await || !first.deliver(site.nodes[0].to).await {
            let has_ended = site.nodes.iter_mut().any(super::node::Node::has_ended);
            assert!(
                !has_ended && since.elapsed() < Duration::from_secs(20),
                "{}",
                site.said()
            );
            sleep(Duration::from_millis(50)).await;
        }
        site.asked.lock().expect("no test panicked").push(first);
        // Whoever acks first may have nothing to do yet.
        while site
            .tables
            .number("SELECT CAST(count(*) AS TEXT) FROM runs")
            .await
            == 0
            || !site.tables.open().await.is_empty()
        {
            assert!(since.elapsed() < Duration::from_secs(30), "{}", site.said());
            sleep(Duration::from_millis(50)).await;
        }
        site
    }

    /// People use it while it is killed.
    pub(super) async fn go_on(&self, site: &mut Site) {
        site.spoil(self.slack, self.sentry);
        site.calm = self.calm;
        if let Some(dealings) = &site.dealings {
            dealings.spoil();
        }
        let stop = AtomicBool::new(false);
        let memory = Mutex::new(Memory::default());
        let addresses: Vec<_> = site.nodes.iter().map(|node| node.to).collect();
        let mut dice = Dice::new(self.seed);
        let mut done = 0;
        while done < self.kills {
            let some = (self.kills - done).min(A_WHILE);
            let mut nodes = std::mem::take(&mut site.nodes);
            stop.store(false, Ordering::SeqCst);
            let people = (0..PEOPLE).map(|number| {
                let dice = Dice::new(self.seed ^ (number << 32) ^ done as u64);
                use_it(site, &addresses, dice, &memory, &stop)
            });
            let killer = async {
                for _ in 0..some {
                    let time = dice.between(self.pause.0, self.pause.1);
                    sleep(Duration::from_millis(time)).await;
                    if let Some(postgres) = self.postgres.as_ref().filter(|_| dice.below(2) == 0) {
                        postgres.crash(Duration::from_millis(dice.below(400))).await;
                        continue;
                    }
                    let victim = usize::try_from(dice.below(nodes.len() as u64)).unwrap_or(0);
                    let other = (victim + 1) % nodes.len();
                    if other != victim && dice.below(3) == 0 {
                        nodes[other].signal("-STOP");
                        sleep(Duration::from_millis(dice.between(50, 700))).await;
                        nodes[victim].kill();
                        nodes[other].signal("-CONT");
                    } else {
                        nodes[victim].kill();
                    }
                    sleep(Duration::from_millis(dice.below(120))).await;
                    nodes[victim].start();
                }
                stop.store(true, Ordering::SeqCst);
            };
            tokio::join!(killer, join_all(people));
            site.nodes = nodes;
            done += some;
            if done < self.kills {
                site.begin_anew().await;
            }
        }
    }
}

/// Lives with the real binary and everything in its way.
async fn survive(server: Option<String>, dealings: Option<Faults>) {
    let options = Options::read(if dealings.is_some() { 20 } else { 50 });
    for (seed, kills) in options.lives() {
        let life = Life {
            launch: Launch::Binary(options.binary.clone()),
            server: server.clone(),
            postgres: None,
            seed,
            kills,
            slack: Faults::MANY,
            sentry: Faults::MANY,
            calm: Faults::default(),
            dealings,
            pause: (150, 700),
        };
        life.is_survived().await;
    }
}

impl Life {
    /// Fails with all that was wrong.
    async fn is_survived(&self) {
        let since = Instant::now();
        let mut site = self.begin().await;
        self.go_on(&mut site).await;
        let lived = since.elapsed();
        let found = judge(&mut site, true).await;
        tell(self.seed, self.kills, &site, &found, lived, since.elapsed());
        assert!(
            found.wrong.is_empty(),
            "KILLING_SEED={}: {} wrong:\n{}\n{}",
            self.seed,
            found.wrong.len(),
            found.wrong.join("\n"),
            site.said()
        );
        site.close().await;
    }
}

fn tell(seed: u64, kills: usize, site: &Site, found: &Findings, lived: Duration, all: Duration) {
    use std::io::Write;
    writeln!(
        std::io::stderr(),
        "KILLING_SEED={seed} {}: {kills} kills in {:.0} s ({:.0} s with the judgement); {} acked, {} not, {} deliveries; \
         {} decisions, {} effects, {} notes, {} tickets, {} charges, {} rounds, {} log entries; {} given up; {} + {} + {} faults; {} wrong",
        if site.tables.is_postgres() { "PostgreSQL" } else { "SQLite" },
        lived.as_secs_f64(),
        all.as_secs_f64(),
        found.acked,
        found.unacked,
        found.delivered,
        found.decisions,
        found.effects,
        found.notes,
        found.tickets,
        found.charges,
        found.rounds,
        found.log,
        found.given_up,
        site.to_slack.struck(),
        site.to_sentry.struck(),
        site.dealings.as_ref().map_or(0, Dealings::struck),
        found.wrong.len(),
    )
    .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_done_once_however_often_the_process_is_killed() {
    survive(None, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_with_two_processes_on_postgres_that_are_killed_and_paused() {
    let what = "the kill loop of two processes";
    if let Some(server) = needs("TEST_DATABASE_URL", what) {
        survive(Some(server), None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_finding_gets_one_ticket_and_each_yes_one_charge_however_often_it_is_killed() {
    survive(None, Some(Faults::MANY)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_with_tickets_and_charges_of_two_processes_on_postgres() {
    let what = "the kill loop of tickets and charges";
    if let Some(server) = needs("TEST_DATABASE_URL", what) {
        survive(Some(server), Some(Faults::MANY)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_when_postgres_itself_is_stopped_in_the_midst_of_transactions() {
    let what = "the kill loop of PostgreSQL itself";
    if needs("TEST_DATABASE_URL", what).is_none() {
        return;
    }
    let Some(postgres) = Postgres::start().await else {
        return;
    };
    let options = Options::read(8);
    let life = Life {
        launch: Launch::Binary(options.binary),
        server: Some(postgres.url()),
        postgres: Some(postgres),
        seed: options.seed,
        kills: options.kills,
        slack: Faults::MANY,
        sentry: Faults::MANY,
        calm: Faults::default(),
        dealings: None,
        pause: (500, 1200),
    };
    life.is_survived().await;
}
