//! What people read in Slack.

mod golden;
mod laws;
mod payments;
mod reading;
mod refusals;
mod rounds;
