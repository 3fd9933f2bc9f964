//! What happens in Sentry.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Course, Issue, Trouble};
use super::super::{Scenario, World, health};

pub(super) const ALL: [Scenario; 2] = [
    Scenario {
        name: "broken-cart",
        title: "A release broke the cart",
        story: "The release of six o'clock broke the cart for every third visitor, and made the API slow.",
        change: |world| {
            let now = world.time.now();
            world.sentry().happen(of_the_release(now));
            let api = world.services().named("production/api")?;
            api.set_for(health::State::Slow, TimeDelta::hours(6))
        },
    },
    Scenario {
        name: "sentry-403",
        title: "Sentry answers 403",
        story: "Somebody took a scope from the bot's token: whether there are errors, nobody knows.",
        change: |world: &World| world.sentry().suffer(Trouble::Forbidden),
    },
];

fn of_the_release(now: DateTime<Utc>) -> Vec<Issue> {
    let hours = TimeDelta::hours;
    let release = now - hours(3);
    vec![
        Issue::told(
            4501,
            "web",
            "TypeError: cart is undefined",
            "app/cart in total",
            Course::surge(release, 656, hours(2)),
        )
        .new_and_unhandled(),
    ]
}
