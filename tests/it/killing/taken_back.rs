//! An order that was carried out, and whose process died before it could say so, can still be taken back.

use chrono::TimeDelta;
use daily_ops::{
    effects::{Delivery, deliver_due},
    permissions::Permit,
    triage::Action,
};

use crate::world::{
    company::{Company, decide, walk},
    sentry::broken_cart,
};

#[tokio::test]
async fn what_a_killed_process_resolved_is_opened_again_by_an_undo() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let key = "errors:4501".parse().expect("it is a key");
    let (action, anna) = (
        Action::Resolve { reason: None },
        Permit::at_terminal("anna"),
    );
    bot.decide(&key, action, None, &anna, None)
        .await
        .expect("it is recorded");
    let claimed = bot.store.claim_effect((bot.clock)(), TimeDelta::minutes(1));
    let claimed = claimed
        .await
        .expect("it can be claimed")
        .expect("one is due");
    assert!(
        bot.store
            .mark_sent(&claimed, (bot.clock)())
            .await
            .expect("it is marked")
    );
    company.sentry.world().issue(4501).status = "resolved";
    // Here the process dies.

    company.later(TimeDelta::minutes(2));
    let attempts = deliver_due(&bot.store, bot.sides(), &bot.clock)
        .await
        .expect("it is delivered");
    let said = match &attempts[..] {
        [attempt] => match &attempt.delivery {
            Delivery::Done(said) => said.as_str(),
            other => panic!("{other:?}"),
        },
        _ => panic!("{} attempts", attempts.len()),
    };
    assert_eq!(said, "was already resolved in Sentry");
    decide(&bot, "ben", "undo errors:4501").await;
    assert_eq!(company.sentry.world().issue(4501).status, "unresolved");
}
