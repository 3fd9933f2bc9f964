//! Slack, as far as it is described: what people do there, and what it does with our answers.

pub(crate) mod driver;
pub(crate) mod kept;
pub(crate) mod socket_server;
pub(crate) mod web_api;
