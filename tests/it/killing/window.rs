//! The one window that no order of steps can close: a process that is paused between its last look at the clock and the
//! write to the socket for longer than its lease, before an upstream that takes no keys. It is forced here, and heals.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    bot::Bot,
    schedule::Schedule,
    slack::{
        Courier, Lease,
        api::{Api, Limits},
    },
    store::{Access, Store},
};

use crate::world::{
    clockwork::{Time, bot},
    database::{Database, on_each_engine},
    records::at,
    slack::web_api::{Fault, OPS, Slack, TOKEN, workspace},
};

async fn bots(database: &Database, time: &Time) -> (Arc<Bot>, Arc<Bot>) {
    database.store.close().await;
    let open = async || {
        let store = Store::open(&database.url, Access::ReadWrite).await;
        Arc::new(bot(
            store.expect("the store opens"),
            Schedule::default(),
            time,
        ))
    };
    let one = open().await;
    // SQLite serves one process; there, two tasks of it have to do.
    let other = if database.postgres {
        open().await
    } else {
        Arc::clone(&one)
    };
    (one, other)
}

fn courier(bot: &Arc<Bot>, slack: &Slack) -> Arc<Courier> {
    let limits = Limits {
        call: Duration::from_secs(600),
        ..Limits::default()
    };
    Arc::new(Courier {
        bot: Arc::clone(bot),
        api: Arc::new(Api::new(&slack.url(), &TOKEN.into(), limits).expect("an address")),
        lease: Lease::default(),
        workspace: "https://acme.slack.com/".parse().expect("an address"),
    })
}

#[tokio::test]
async fn a_post_that_outlives_its_lease_leaves_a_copy_which_is_removed() {
    on_each_engine(async |database| {
        let slack = workspace().open().await.expect("it opens");
        let time = Time::at(at(0));
        let clock = slack.world().now();
        time.set(clock);
        let (one, other) = bots(database, &time).await;
        let (paused, quick) = (courier(&one, &slack), courier(&other, &slack));
        let order = crate::world::chat::order(0);
        one.store
            .begin_round(OPS, order, clock, None)
            .await
            .expect("the round is kept");

        slack.world().spoil("chat.postMessage", Fault::Late, 1);
        let held = tokio::spawn(async move { paused.deliver_next().await });
        while slack.world().called("chat.postMessage") == 0 {
            tokio::task::yield_now().await;
        }
        assert!(
            !quick.deliver_next().await.expect("it looks"),
            "the lease holds"
        );
        time.set(clock + TimeDelta::seconds(61));
        assert!(quick.deliver_next().await.expect("it posts"));
        assert_eq!(slack.world().messages(OPS).len(), 1);

        slack.release().await;
        assert_eq!(slack.world().messages(OPS).len(), 2, "the window");
        held.abort();

        let mut now = clock + TimeDelta::seconds(61);
        for _ in 0..4 {
            now += TimeDelta::seconds(61);
            time.set(now);
            quick.deliver_next().await.expect("it looks again");
        }
        let left: Vec<String> = {
            let world = slack.world();
            let left = world.messages(OPS);
            left.iter().map(|message| message.ts.clone()).collect()
        };
        let [kept] = &left[..] else {
            panic!("it did not heal: {left:?}");
        };
        let round = other
            .store
            .living_messages(OPS)
            .await
            .expect("they are kept");
        let message = other.store.message(&round[0]).await.expect("it is read");
        assert_eq!(message.expect("it is there").ts, Some(kept.clone()));
        assert_eq!(
            other.store.undelivered().await.expect("counted").messages,
            0
        );
        one.store.close().await;
        other.store.close().await;
    })
    .await;
}
