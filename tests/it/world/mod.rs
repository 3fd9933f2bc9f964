//! Described worlds: what answers is derived from a description, so that a test says what is, not what is sent.

pub(crate) mod faults;
pub(crate) mod sentry;
