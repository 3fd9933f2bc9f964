//! Whether an attempt was good, and what two attempts say together. Pure.

use std::{fmt, time::Duration};

use super::{
    Endpoint,
    seen::{Answer, Attempt, Failure, Fault, Seen},
};
use crate::{report::Unknown, text::Untrusted};

/// What is bad about one attempt. Shown, it follows the endpoint's name: "answers 503".
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble<'a> {
    Failed(&'a Failure),
    Redirect { status: u16, to: &'a Untrusted },
    Status(u16),
    LoginPage(u16),
    LacksText(u16),
    Slow { latency: Duration, limit: Duration },
}

impl fmt::Display for Trouble<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => f.write_str(failure.reason.as_str()),
            Self::Redirect { status, to } => write!(f, "answers {status} to {}", to.as_str()),
            Self::Status(status) => write!(f, "answers {status}"),
            Self::LoginPage(status) => write!(f, "answers {status} with a log-in page"),
            Self::LacksText(status) => write!(f, "answers {status} without the expected text"),
            Self::Slow { latency, .. } => write!(f, "answers slowly: {} ms", latency.as_millis()),
        }
    }
}

impl Trouble<'_> {
    fn is_slow(&self) -> bool {
        matches!(self, Self::Slow { .. })
    }

    /// Whether two attempts fared alike, whatever their times.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed(a), Self::Failed(b)) => a.fault == b.fault,
            (Self::Slow { .. }, Self::Slow { .. }) => true,
            _ => self == other,
        }
    }
}

/// What is bad about an attempt, if anything; a certificate that ends soon is none of it.
pub(super) fn trouble<'a>(endpoint: &Endpoint, attempt: &'a Attempt) -> Option<Trouble<'a>> {
    let answer = match &attempt.result {
        Ok(answer) => answer,
        Err(failure) => return Some(Trouble::Failed(failure)),
    };
    let &Answer {
        status, latency, ..
    } = answer;
    if !endpoint.status.contains(status) {
        return Some(match &answer.moved_to {
            Some(to) => Trouble::Redirect { status, to },
            None => Trouble::Status(status),
        });
    }
    if answer.login_page {
        return Some(Trouble::LoginPage(status));
    }
    if answer.lacks_text {
        return Some(Trouble::LacksText(status));
    }
    let limit = endpoint.within.filter(|limit| latency > *limit)?;
    Some(Trouble::Slow { latency, limit })
}

pub(super) fn is_network_failure(attempt: &Attempt) -> bool {
    fault(attempt).is_some_and(Fault::is_network)
}

pub(super) fn fault(attempt: &Attempt) -> Option<Fault> {
    attempt.result.as_ref().err().map(|failure| failure.fault)
}

/// What all attempts at an endpoint say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Judgement<'a> {
    /// At least one attempt was good.
    Good,
    /// None was; the worst, and what the other one said if it was of another kind.
    Bad {
        worst: Trouble<'a>,
        other: Option<Trouble<'a>>,
    },
    /// One was bad, and there was no time for another.
    Unconfirmed,
    NotAsked,
    CouldNot(&'a Unknown),
}

pub(super) fn judgement<'a>(endpoint: &Endpoint, seen: &'a Seen) -> Judgement<'a> {
    match seen {
        Seen::NotAsked => Judgement::NotAsked,
        Seen::CouldNot(unknown) => Judgement::CouldNot(unknown),
        Seen::NotAgain(half) => Judgement::CouldNot(&half.1),
        Seen::Once(attempt) if trouble(endpoint, attempt).is_some() => Judgement::Unconfirmed,
        Seen::Once(_) => Judgement::Good,
        Seen::Twice(attempts) => {
            let [first, second] = &**attempts;
            match (trouble(endpoint, first), trouble(endpoint, second)) {
                (Some(first), Some(second)) => both(first, second),
                _ => Judgement::Good,
            }
        }
    }
}

/// Down weighs more than slow; of two slow ones the faster counts, else the later.
fn both<'a>(first: Trouble<'a>, second: Trouble<'a>) -> Judgement<'a> {
    let latency = |trouble: &Trouble<'_>| match trouble {
        Trouble::Slow { latency, .. } => *latency,
        _ => Duration::ZERO,
    };
    let first_weighs = if first.is_slow() {
        second.is_slow() && latency(&first) < latency(&second)
    } else {
        second.is_slow()
    };
    let (worst, other) = if first_weighs {
        (first, second)
    } else {
        (second, first)
    };
    let other = Some(other).filter(|other| !other.is_like(&worst));
    Judgement::Bad { worst, other }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn slow(ms: u64) -> Trouble<'static> {
        Trouble::Slow {
            latency: Duration::from_millis(ms),
            limit: LIMIT,
        }
    }

    #[test]
    fn of_two_slow_answers_the_faster_counts() {
        for (first, second) in [(812, 640), (640, 812)] {
            let expected = Judgement::Bad {
                worst: slow(640),
                other: None,
            };
            assert_eq!(both(slow(first), slow(second)), expected);
        }
    }

    #[test]
    fn down_weighs_more_than_slow_in_either_order() {
        let down = Trouble::Status(503);
        let expected = Judgement::Bad {
            worst: down,
            other: Some(slow(812)),
        };
        assert_eq!(both(down, slow(812)), expected);
        assert_eq!(both(slow(812), down), expected);
    }
}
