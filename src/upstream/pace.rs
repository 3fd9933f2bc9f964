//! How long to wait before asking again. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

/// An HTTP date: `Sun, 22 Nov 2026 09:00:00 GMT`.
pub(super) fn http_date(value: &HeaderValue) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(value.to_str().ok()?.trim()).ok()?;
    Some(date.to_utc())
}

/// A header that holds a time in seconds since 1970.
pub fn epoch_seconds(headers: &HeaderMap, name: &str) -> Option<DateTime<Utc>> {
    let seconds = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

/// What the other side asks to wait: `Retry-After` in seconds or as a date, else its own header. Times are compared
/// with its own clock where it tells it.
pub(super) fn asked(
    headers: &HeaderMap,
    reset: fn(&HeaderMap) -> Option<DateTime<Utc>>,
    ours: DateTime<Utc>,
) -> Option<Duration> {
    let now = headers.get(DATE).and_then(http_date).unwrap_or(ours);
    let until = |time: DateTime<Utc>| (time - now).to_std().unwrap_or_default();
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| {
        let seconds = value.to_str().ok()?.trim().parse().ok();
        seconds
            .map(Duration::from_secs)
            .or_else(|| http_date(value).map(until))
    });
    retry_after.or_else(|| reset(headers).map(until))
}

/// The wait before the next try, or none if it is longer than allowed. Our own back-off, which has jitter, comes on
/// top of what was asked, so that callers who were refused together do not come back together.
pub(super) fn wait(
    asked: Option<Duration>,
    backoff: Duration,
    longest: Duration,
    left: Duration,
) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    let wait = asked.saturating_add(backoff);
    (asked <= longest && wait < left).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: &str = "Sun, 22 Nov 2026 09:00:00 GMT";

    fn sentry(headers: &HeaderMap) -> Option<DateTime<Utc>> {
        epoch_seconds(headers, "x-sentry-rate-limit-reset")
    }

    fn asked_by(pairs: &[(&'static str, &str)]) -> Option<u64> {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<reqwest::header::HeaderName>().unwrap(),
                    value.parse().unwrap(),
                )
            })
            .collect();
        let ours = http_date(&HeaderValue::from_static(NOW)).unwrap();
        asked(&headers, sentry, ours).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_wait_is_read_from_whatever_says_it() {
        assert_eq!(asked_by(&[("retry-after", "7")]), Some(7));
        assert_eq!(
            asked_by(&[("retry-after", "Sun, 22 Nov 2026 09:00:09 GMT")]),
            Some(9)
        );
        assert_eq!(
            asked_by(&[("x-sentry-rate-limit-reset", "1795338005")]),
            Some(5)
        );
        assert_eq!(
            asked_by(&[("x-sentry-rate-limit-reset", "1795337000")]),
            Some(0)
        );
        assert_eq!(asked_by(&[("retry-after", "-1")]), None);
        assert_eq!(asked_by(&[("retry-after", "soon")]), None);
        assert_eq!(asked_by(&[]), None);
    }

    #[test]
    fn a_reset_is_compared_with_the_clock_of_who_set_it() {
        let skewed = [
            ("date", "Sun, 22 Nov 2026 08:00:00 GMT"),
            ("x-sentry-rate-limit-reset", "1795334403"),
        ];
        assert_eq!(asked_by(&skewed), Some(3));
    }

    proptest! {
        #[test]
        fn no_wait_outlasts_the_deadline(asked in proptest::option::of(0..100_000u64), backoff in 0..5_000u64, left in 0..100_000u64) {
            let longest = Duration::from_secs(30);
            let left = Duration::from_millis(left);
            if let Some(wait) = wait(asked.map(Duration::from_millis), Duration::from_millis(backoff), longest, left) {
                prop_assert!(wait < left);
                prop_assert!(wait >= Duration::from_millis(asked.unwrap_or(0)));
                prop_assert!(asked.unwrap_or(0) <= 30_000);
            }
        }
    }
}
