//! What happens to the services.

use chrono::TimeDelta;

use super::{
    super::{Scenario, errors},
    State,
};

pub(super) const ALL: [Scenario; 1] = [Scenario {
    name: "checkout-down",
    title: "Checkout is down",
    story: "The checkout answers 503 since a few minutes: it has no connection to its database. Nobody can pay.",
    change: |world| {
        let errors = errors::scenarios::of_checkout(world.time.now());
        world.sentry().happen(errors);
        let checkout = world.services().named("production/checkout")?;
        checkout.set_for(State::Down, TimeDelta::hours(5))
    },
}];
