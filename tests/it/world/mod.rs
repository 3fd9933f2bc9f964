//! The described world: fakes that derive what they do from what they are said to be.

pub(crate) mod company;
pub(crate) mod endpoints;
pub(crate) mod faults;
pub(crate) mod sentry;
