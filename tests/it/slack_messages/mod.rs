//! What people read in Slack.

mod golden;
mod laws;
mod reading;
mod refusals;
mod rounds;
