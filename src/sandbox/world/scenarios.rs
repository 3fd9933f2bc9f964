//! The quiet morning, and what happens to more than one part at a time.

use chrono::TimeDelta;

use super::{
    Scenario,
    errors::scenarios::of_a_busy_weekend,
    health::State::{Degraded, Down, LoggedOut, Slow},
};

pub(super) const QUIET: Scenario = Scenario {
    name: "quiet",
    title: "Monday morning, all quiet",
    story: "Everything answers, and every error is triaged.",
    change: |_| Ok(()),
};

pub(super) const OF_MORE_THAN_ONE_PART: [Scenario; 2] = [
    Scenario {
        name: "busy-monday",
        title: "A Monday with everything",
        story: "Nobody looked for a weekend: forty errors, four services and a Sentry that drops events.",
        change: |world| {
            let errors = of_a_busy_weekend(world.time.now());
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
        change: |world| world.switch("network", "gone"),
    },
];
