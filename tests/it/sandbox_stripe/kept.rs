//! What was done in the sandbox's Stripe is done again after a restart.

use chrono::TimeDelta;
use daily_ops::sandbox::{time::Time, world::World};

use super::{get, post};

#[tokio::test]
async fn what_was_paid_stays_paid_when_the_story_is_told_again() {
    let began = "2026-11-23T08:00:00Z".parse().expect("it is a time");
    let story = async || {
        let time = Time::standing(began);
        let world = World::open(time).await.expect("it opens");
        world.play("payday-declines").expect("it can be played");
        world
    };
    let world = story().await;
    let open = get(world.stripe(), "/v1/invoices?status=open").await;
    let open: Vec<String> = open.ids().into_iter().map(str::to_owned).collect();
    assert_eq!(open.len(), 4);
    world.time.advance(TimeDelta::minutes(5));
    let mut statuses = Vec::new();
    for id in &open {
        let paid = post(world.stripe(), &format!("/v1/invoices/{id}/pay"), id, "").await;
        statuses.push(paid.status);
    }
    // The card that is lost stays lost, and one account is still empty.
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 402, 402]);
    let told = world.told_from_outside();
    let again = story().await;
    again.time.advance(TimeDelta::minutes(5));
    again.tell_from_outside(&told);
    for id in &open {
        let target = format!("/v1/invoices/{id}");
        let (before, after) = (
            get(world.stripe(), &target).await,
            get(again.stripe(), &target).await,
        );
        assert_eq!(before.body, after.body);
    }
    assert_eq!(again.told_from_outside(), told);
}
