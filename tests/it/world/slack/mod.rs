//! A described Slack.

pub(crate) mod web_api;
