//! A message whose post was never confirmed, and whose place a newer one has taken.

use std::sync::Arc;

use chrono::TimeDelta;
use daily_ops::{
    schedule::Schedule,
    slack::{
        Courier, Lease,
        api::{Api, Limits},
    },
    store::{Access, Store},
};

use crate::world::{
    chat::order,
    clockwork::{Time, bot},
    database::on_each_engine,
    slack::web_api::{Fault, OPS, TOKEN, workspace},
};

#[tokio::test]
async fn an_unconfirmed_message_that_is_replaced_is_found_and_loses_its_buttons() {
    on_each_engine(async |database| {
        database.store.close().await;
        let slack = workspace().open().await.expect("it opens");
        let start = slack.world().now();
        let time = Time::at(start);
        let store = Store::open(&database.url, Access::ReadWrite).await;
        let bot = Arc::new(bot(store.expect("it opens"), Schedule::default(), &time));
        let api = Api::new(&slack.url(), &TOKEN.into(), Limits::default());
        let courier = Courier {
            bot: Arc::clone(&bot),
            api: Arc::new(api.expect("an address")),
            lease: Lease::default(),
            workspace: "https://acme.slack.com/".parse().expect("an address"),
        };
        let begun = bot.store.begin_round(OPS, order(0), start, None).await;
        begun.expect("the round is kept");
        slack
            .world()
            .spoil("chat.postMessage", Fault::ResetAfter, 1);
        assert!(courier.deliver_next().await.expect("it posts"));
        let older = bot.store.living_messages(OPS).await.expect("it is kept");
        let newer = "00000000000000ff";
        bot.store
            .replace_messages(older.clone(), newer)
            .await
            .expect("it is replaced");
        time.set(start + TimeDelta::minutes(2));
        for step in ["it looks for it", "it edits what it has found"] {
            assert!(courier.deliver_next().await.expect(step), "{step}");
        }

        let (ts, versions) = {
            let world = slack.world();
            let [posted] = &world.messages(OPS)[..] else {
                panic!("one message stands there");
            };
            (posted.ts.clone(), posted.versions.len())
        };
        let message = bot.store.message(&older[0]).await.expect("it is read");
        assert_eq!(message.expect("it is there").ts, Some(ts));
        assert_eq!(versions, 2, "it was drawn anew");
        bot.store.close().await;
    })
    .await;
}
