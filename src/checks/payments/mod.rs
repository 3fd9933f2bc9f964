//! The check `payments`: Stripe's failures, and whether one's own records agree with it.

pub mod audit;
pub mod money;
