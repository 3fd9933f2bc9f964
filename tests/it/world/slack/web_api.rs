//! The sandbox's Slack, as tests begin it.

pub(crate) use daily_ops::sandbox::slack::*;
use daily_ops::sandbox::time::Time;

/// In the machine's own time.
pub(crate) fn workspace() -> Workspace {
    Workspace::new(Time::real())
}
