//! The sandbox's Sentry, as tests begin it.

use daily_ops::sandbox::time::Time;
pub(crate) use daily_ops::sandbox::world::errors::*;

/// With these issues; its time stands still.
pub(crate) fn with(issues: impl IntoIterator<Item = Issue>) -> Organization {
    let mut organization = Organization::new(Time::standing(Time::real().now()));
    organization.issues.extend(issues);
    organization
}
