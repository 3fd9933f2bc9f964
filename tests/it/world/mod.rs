//! The described world: fakes that derive what they do from what they are said to be.

pub(crate) mod chat;
pub(crate) mod clockwork;
pub(crate) mod company;
pub(crate) mod database;
pub(crate) mod endpoints;
pub(crate) mod faults;
pub(crate) mod office;
pub(crate) mod ports;
pub(crate) mod records;
pub(crate) mod sentry;
pub(crate) mod skipped;
pub(crate) mod slack;
pub(crate) mod stripe;
pub(crate) mod trackers;
