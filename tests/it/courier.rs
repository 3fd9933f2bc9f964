//! What the courier makes of a Slack that loses answers or takes no edits, on both engines.

use std::sync::Arc;

use chrono::TimeDelta;
use daily_ops::{
    ops_log::Kind,
    schedule::Schedule,
    slack::{
        Courier, Lease,
        api::{Api, Limits},
    },
    store::{Access, Filter, RoundOrder, Store},
};
use serde_json::json;

use crate::world::{
    chat::order,
    clockwork::{Time, bot},
    database::{Database, on_each_engine},
    office::read,
    slack::web_api::{Fault, OPS, Slack, TOKEN, workspace},
};

const FOR_EVER: usize = usize::MAX;

/// A bot without checks that brings its messages to a Slack.
struct Post {
    slack: Slack,
    time: Time,
    courier: Courier,
}

impl Post {
    async fn of(database: &Database) -> Self {
        database.store.close().await;
        let slack = workspace().open().await.expect("it opens");
        let start = slack.world().now();
        let time = Time::at(start);
        let store = Store::open(&database.url, Access::ReadWrite).await;
        let bot = bot(store.expect("it opens"), Schedule::default(), &time);
        let api = Api::new(&slack.url(), &TOKEN.into(), Limits::default());
        Self {
            courier: Courier {
                bot: Arc::new(bot),
                api: Arc::new(api.expect("an address")),
                lease: Lease::default(),
                workspace: "https://acme.slack.com/".parse().expect("an address"),
            },
            slack,
            time,
        }
    }

    fn store(&self) -> &Store {
        &self.courier.bot.store
    }

    fn order(&self) -> RoundOrder {
        RoundOrder {
            at: self.time.now(),
            ..order(0)
        }
    }

    async fn asks(&self) {
        let (order, now) = (self.order(), self.time.now());
        let begun = self.store().begin_round(OPS, order, now, None).await;
        begun.expect("the round is kept");
    }

    /// Asks for the summary that is due now.
    async fn summary_is_due(&self) {
        let now = self.time.now();
        let order = RoundOrder {
            by: None,
            due_at: Some(now),
            ..self.order()
        };
        let begun = self
            .store()
            .begin_summary(OPS, now.date_naive(), order)
            .await;
        assert!(begun.expect("it is kept"));
    }

    async fn runs(&self) {
        assert!(self.courier.bot.run_asked_round().await.expect("it runs"));
    }

    fn spoil(&self, method: &str, fault: Fault, times: usize) {
        self.slack.world().spoil(method, fault, times);
    }

    fn later(&self, time: TimeDelta) {
        self.time.set(self.time.now() + time);
    }

    /// Brings out whatever waits.
    async fn delivers(&self) {
        let mut tried = false;
        while self.courier.deliver_next().await.expect("it is tried") {
            tried = true;
        }
        assert!(tried, "nothing waits");
    }

    /// What stands in the channel, a text for each message.
    fn channel(&self) -> Vec<String> {
        let world = self.slack.world();
        let messages = world.messages(OPS);
        let texts = messages.iter().map(|message| {
            let now = message.now();
            format!("{}\n{}", now.text, read(&json!(now.blocks)))
        });
        texts.collect()
    }

    /// The id of the only one.
    async fn message(&self) -> String {
        let living = self.store().living_messages(OPS).await;
        living.expect("it can be read").remove(0)
    }

    /// Entries of the log that say what was missed.
    async fn missed(&self) -> Vec<String> {
        let entries = self.store().entries(&Filter::newest(100)).await;
        let entries = entries.expect("the log can be read").into_iter();
        entries
            .filter(|entry| entry.kind == Kind::Missed)
            .filter_map(|entry| entry.body)
            .map(|body| body.text.plain())
            .collect()
    }

    async fn closes(self) {
        self.store().close().await;
    }
}

#[tokio::test]
async fn a_summary_whose_post_was_never_confirmed_is_looked_for_before_it_counts_as_missed() {
    for (posted, looked, said) in [
        (Fault::ResetAfter, None, None),
        (Fault::ResetBefore, None, Some("was not posted")),
        (
            Fault::ResetAfter,
            Some("missing_scope"),
            Some("was posted is not known"),
        ),
    ] {
        on_each_engine(async |database| {
            let post = Post::of(database).await;
            post.summary_is_due().await;
            post.spoil("chat.postMessage", posted, 1);
            post.delivers().await;
            post.runs().await;
            post.later(TimeDelta::hours(6) + TimeDelta::minutes(5));
            if let Some(code) = looked {
                post.spoil("conversations.history", Fault::Refused(code), FOR_EVER);
            }
            post.delivers().await;
            let missed = post.missed().await;
            assert_eq!(missed.len(), usize::from(said.is_some()), "{missed:?}");
            assert!(
                missed
                    .iter()
                    .all(|text| text.contains(said.unwrap_or_default())),
                "{missed:?}"
            );
            assert_eq!(post.slack.world().called("chat.postMessage"), 1);
            if said.is_none() {
                let channel = post.channel();
                assert!(!channel[0].contains("Late:"), "it was in time: {channel:?}");
                assert!(channel[0].contains("is checked"), "{channel:?}");
            }
            post.closes().await;
        })
        .await;
    }
}

#[tokio::test]
async fn where_messages_cant_be_edited_the_end_comes_in_a_message_of_its_own() {
    on_each_engine(async |database| {
        let post = Post::of(database).await;
        post.asks().await;
        post.delivers().await;
        let skeleton = post.channel();
        post.spoil(
            "chat.update",
            Fault::Refused("cant_update_message"),
            FOR_EVER,
        );
        let lease = TimeDelta::minutes(1);
        let round = post.store().claim_round(post.time.now(), lease).await;
        let claim = round.expect("it can be read").expect("it waits").claim();
        for number in 0..3 {
            post.later(TimeDelta::seconds(5));
            let (progress, until) = (json!([[number.to_string(), null]]), post.time.now() + lease);
            let kept = post.store().keep_progress(&claim, progress, until).await;
            assert!(kept.expect("it is kept"));
            post.delivers().await;
        }
        assert_eq!(post.slack.world().called("chat.update"), 3);
        assert_eq!(post.channel(), skeleton);
        post.later(lease);
        post.runs().await;
        post.delivers().await;
        let channel = post.channel();
        assert_eq!(channel.len(), 1, "{channel:?}");
        assert!(channel[0].contains("is checked"), "{channel:?}");
        assert_eq!(post.slack.world().called("chat.postMessage"), 2);
        post.closes().await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_found_and_cant_be_edited_is_posted_anew_once() {
    on_each_engine(async |database| {
        let post = Post::of(database).await;
        post.asks().await;
        post.spoil("chat.postMessage", Fault::ResetAfter, 1);
        post.delivers().await;
        post.runs().await;
        post.later(TimeDelta::seconds(5));
        post.spoil(
            "chat.update",
            Fault::Refused("cant_update_message"),
            FOR_EVER,
        );
        post.delivers().await;
        let (channel, id) = (post.channel(), post.message().await);
        assert_eq!(
            channel.len(),
            1,
            "the one that says that it runs is removed: {channel:?}"
        );
        assert!(channel[0].contains("is checked"), "{channel:?}");
        let kept = post.store().message(&id).await.expect("it can be read");
        assert!(kept.expect("it is kept").lost_ts.is_some());
        assert_eq!(post.slack.world().called("chat.postMessage"), 2);
        post.closes().await;
    })
    .await;
}

#[tokio::test]
async fn a_summary_that_is_posted_anew_was_not_late() {
    on_each_engine(async |database| {
        let post = Post::of(database).await;
        post.summary_is_due().await;
        post.delivers().await;
        post.runs().await;
        post.later(TimeDelta::minutes(10));
        post.spoil("chat.update", Fault::Refused("edit_window_closed"), 1);
        post.delivers().await;
        let channel = post.channel();
        assert_eq!(post.slack.world().called("chat.postMessage"), 2);
        assert!(channel[0].contains("is checked"), "{channel:?}");
        assert!(!channel[0].contains("Late:"), "{channel:?}");
        post.closes().await;
    })
    .await;
}

#[tokio::test]
async fn no_wait_that_slack_asks_for_is_longer_than_a_day() {
    on_each_engine(async |database| {
        let post = Post::of(database).await;
        let start = post.time.now();
        post.asks().await;
        post.spoil("chat.postMessage", Fault::RateLimited(86_400_000), 1);
        assert!(post.courier.deliver_next().await.expect("it is tried"));
        let claimed = async |hours| {
            let (now, lease) = (start + TimeDelta::hours(hours), TimeDelta::minutes(1));
            let claimed = post.store().claim_message(now, lease).await;
            claimed.expect("messages can be claimed").is_some()
        };
        assert!(!claimed(23).await);
        assert!(claimed(25).await);
        post.closes().await;
    })
    .await;
}

#[tokio::test]
async fn an_unconfirmed_message_that_is_replaced_is_found_and_loses_its_buttons() {
    on_each_engine(async |database| {
        let post = Post::of(database).await;
        post.asks().await;
        post.spoil("chat.postMessage", Fault::ResetAfter, 1);
        assert!(post.courier.deliver_next().await.expect("it posts"));
        let older = post.message().await;
        let replaced = post
            .store()
            .replace_messages(vec![older.clone()], "00000000000000ff");
        replaced.await.expect("it is replaced");
        post.later(TimeDelta::minutes(2));
        for step in ["it looks for it", "it edits what it has found"] {
            assert!(post.courier.deliver_next().await.expect(step), "{step}");
        }

        let (ts, versions) = {
            let world = post.slack.world();
            let [posted] = &world.messages(OPS)[..] else {
                panic!("one message stands there");
            };
            (posted.ts.clone(), posted.versions.len())
        };
        let message = post.store().message(&older).await.expect("it is read");
        assert_eq!(message.expect("it is there").ts, Some(ts));
        assert_eq!(versions, 2, "it was drawn anew");
        post.closes().await;
    })
    .await;
}
