//! The sandbox's Stripe, as tests begin it.

use daily_ops::sandbox::time::Time;
pub(crate) use daily_ops::sandbox::world::payments::*;

/// With nothing in its books, at that time.
pub(crate) fn stripe_at(time: Time) -> Account {
    account(time)
}

/// With nothing in its books; its time stands still.
pub(crate) fn stripe() -> Account {
    account(Time::standing(Time::real().now()))
}
