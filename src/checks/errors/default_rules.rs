//! The rules of a configuration that has none.

use super::rules::{Rule, Substatus};
use crate::report::Severity;

/// The first that fits counts; the last one fits every issue.
pub(super) fn default_rules() -> Vec<Rule> {
    use Severity::{Critical, High, Low, Medium};
    let levels = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let broken = |users, events| Rule {
        levels: levels(&["fatal", "error"]),
        states: vec![Substatus::New, Substatus::Regressed, Substatus::Escalating],
        unhandled: Some(true),
        users,
        events,
        ..Rule::any(Critical)
    };
    vec![
        Rule {
            levels: levels(&["fatal"]),
            events: Some(1),
            ..Rule::any(Critical)
        },
        broken(Some(50), None),
        broken(None, Some(500)),
        Rule {
            spike: Some(true),
            unhandled: Some(true),
            users: Some(50),
            ..Rule::any(Critical)
        },
        Rule {
            users: Some(100),
            ..Rule::any(High)
        },
        Rule {
            spike: Some(true),
            ..Rule::any(High)
        },
        Rule {
            states: vec![Substatus::Regressed, Substatus::Escalating],
            ..Rule::any(High)
        },
        Rule {
            priorities: levels(&["high"]),
            events: Some(1),
            ..Rule::any(High)
        },
        Rule {
            levels: levels(&["warning", "info", "debug", "sample"]),
            ..Rule::any(Low)
        },
        // Errors, and levels that nobody has heard of: what can't be read is not harmless.
        Rule::any(Medium),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checks::errors::{
        rules::{Facts, judge},
        spike::{Spike, Width},
    };

    fn quiet() -> Facts<'static> {
        Facts {
            level: "error",
            priority: None,
            substatus: None,
            users: 0,
            events: 3,
            exact: true,
            unhandled: false,
            spike: None,
            title: "checkout times out",
        }
    }

    fn spike() -> Option<Spike> {
        Some(Spike {
            events: 480,
            width: Width::Day,
            normal: (40, 60),
        })
    }

    fn said(facts: &Facts<'_>) -> String {
        let (severity, rule) = judge(&default_rules(), facts);
        format!("{severity}: {rule}")
    }

    #[test]
    fn each_default_rule_says_its_facts_against_its_limits() {
        let broken = Facts {
            substatus: Some(Substatus::New),
            unhandled: true,
            ..quiet()
        };
        for (facts, expected) in [
            (
                Facts {
                    level: "fatal",
                    ..quiet()
                },
                "critical: level fatal, 3 events in 24 h",
            ),
            (
                Facts {
                    users: 50,
                    ..broken.clone()
                },
                "critical: level error, new, unhandled, 50 users in 24 h, limit 50",
            ),
            (
                Facts {
                    events: 1500,
                    ..broken.clone()
                },
                "critical: level error, new, unhandled, 1,500 events in 24 h, limit 500",
            ),
            (
                Facts {
                    spike: spike(),
                    unhandled: true,
                    users: 60,
                    ..quiet()
                },
                "critical: spike: 480 events in a day, normal 40 to 60, unhandled, 60 users in 24 h, limit 50",
            ),
            (
                Facts {
                    users: 212,
                    ..quiet()
                },
                "high: 212 users in 24 h, limit 100",
            ),
            (
                Facts {
                    spike: spike(),
                    ..quiet()
                },
                "high: spike: 480 events in a day, normal 40 to 60",
            ),
            (
                Facts {
                    substatus: Some(Substatus::Regressed),
                    ..quiet()
                },
                "high: regressed, 3 events in 24 h",
            ),
            (
                Facts {
                    priority: Some("high"),
                    ..quiet()
                },
                "high: priority high, 3 events in 24 h",
            ),
            (quiet(), "medium: level error, 3 events in 24 h"),
            (
                Facts {
                    level: "fatal",
                    events: 0,
                    ..quiet()
                },
                "medium: level fatal, 0 events in 24 h",
            ),
            (
                Facts {
                    level: "warning",
                    events: 1,
                    ..quiet()
                },
                "low: level warning, 1 event in 24 h",
            ),
            (
                Facts {
                    level: "",
                    ..quiet()
                },
                "medium: level unknown, 3 events in 24 h",
            ),
            (
                Facts {
                    users: 212,
                    exact: false,
                    ..quiet()
                },
                "high: at most 212 users in 24 h, limit 100",
            ),
        ] {
            assert_eq!(said(&facts), expected);
        }
    }

    #[test]
    fn what_fits_no_rule_is_low_and_not_lost() {
        assert_eq!(
            judge(&[], &quiet()),
            (
                Severity::Low,
                "no rule fits: level error, 3 events in 24 h".to_owned()
            )
        );
    }

    #[test]
    fn a_title_is_found_in_any_case() {
        let rule = Rule {
            title_contains: Some("CHECKOUT".to_owned()),
            ..Rule::any(Severity::Critical)
        };
        assert_eq!(judge(&[rule], &quiet()).0, Severity::Critical);
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        let rule = Rule {
            levels: vec!["eror".to_owned()],
            ..Rule::any(Severity::High)
        };
        assert_eq!(
            rule.validate().unwrap_err().to_string(),
            "`levels` holds fatal, error, warning, info, debug, sample, not `eror`"
        );
    }

    proptest! {
        #[test]
        fn more_users_or_events_never_make_an_issue_less_severe(
            level in prop::sample::select(vec!["fatal", "error", "warning", ""]),
            substatus in prop::sample::select(vec![None, Some(Substatus::New), Some(Substatus::Regressed), Some(Substatus::Escalating)]),
            priority in prop::sample::select(vec![None, Some("high"), Some("low")]),
            (unhandled, spiking) in any::<(bool, bool)>(),
            (users, events, more_users, more_events) in (0..300u64, 0..1000u64, 0..300u64, 0..1000u64),
        ) {
            let facts = Facts { level, substatus, priority, unhandled, users, events, spike: spiking.then(spike).flatten(), ..quiet() };
            let worse = Facts { users: users + more_users, events: events + more_events, ..facts.clone() };
            prop_assert!(judge(&default_rules(), &worse).0 >= judge(&default_rules(), &facts).0);
        }
    }
}
