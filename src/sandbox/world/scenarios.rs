//! The quiet morning, and what happens to more than one part at a time.

use chrono::TimeDelta;

use super::{
    Scenario, errors,
    health::State::{Degraded, Down, LoggedOut, Slow},
};

/// Before those of the parts.
pub(super) const FIRST: [Scenario; 3] = [
    Scenario {
        name: "quiet",
        title: "Monday morning, all quiet",
        story: "Everything answers, and every error is triaged.",
        change: |_| Ok(()),
    },
    Scenario {
        name: "checkout-down",
        title: "Checkout is down",
        story: "The checkout answers 503 since a few minutes: it has no connection to its database. Nobody can pay.",
        change: |world| {
            let errors = errors::scenarios::of_checkout(world.time.now());
            world.sentry().happen(errors);
            let checkout = world.services().named("production/checkout")?;
            checkout.set_for(Down, TimeDelta::hours(5))
        },
    },
    Scenario {
        name: "broken-cart",
        title: "A release broke the cart",
        story: "The release of six o'clock lost the cart of every third visitor, and made the API slow. It is being rolled back.",
        change: |world| {
            world
                .sentry()
                .happen(errors::scenarios::of_the_release(world.time.now()));
            let api = world.services().named("production/api")?;
            api.set_for(Slow, TimeDelta::hours(6))
        },
    },
];

/// After those of the parts.
pub(super) const LAST: [Scenario; 2] = [
    Scenario {
        name: "busy-monday",
        title: "A Monday with everything",
        story: "Nobody looked for a weekend: forty errors, four services and a Sentry that drops events.",
        change: |world| {
            let errors = errors::scenarios::of_a_busy_weekend(world.time.now());
            world.sentry().happen(errors);
            let dropped = ("rate_limited".to_owned(), 1_240);
            world.sentry().world().outcomes.extend([dropped]);
            for (name, state) in [
                ("production/checkout", Down),
                ("production/api", Slow),
                ("staging/website", LoggedOut),
                ("staging/api", Degraded),
            ] {
                let service = world.services().named(name)?;
                service.set_for(state, TimeDelta::hours(9))?;
            }
            Ok(())
        },
    },
    Scenario {
        name: "no-network",
        title: "Our own network is gone",
        story: "Nothing can be reached from here, so nobody knows how anything is.",
        change: |world| world.turn(super::NETWORK, "gone"),
    },
];
