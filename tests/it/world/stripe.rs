//! The sandbox's Stripe, as tests begin it.

use daily_ops::sandbox::time::Time;
pub(crate) use daily_ops::sandbox::world::payments::*;

/// With nothing in its books; its time stands still.
pub(crate) fn stripe() -> Account {
    account(Time::standing(Time::real().now()))
}
