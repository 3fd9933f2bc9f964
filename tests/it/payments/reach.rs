//! Whether a look would have found again what an earlier one left open.

use chrono::TimeDelta;
use daily_ops::{
    checks::{
        Check,
        payments::{Mode, Observation, Reach, Seen},
    },
    report::{Cause, Finding, FindingKey, Severity, Unknown},
};

use super::{now, section, well};

const DAY: TimeDelta = TimeDelta::days(1);

/// Which began so long ago.
fn old(subject: &str, age: TimeDelta) -> Finding {
    Finding {
        began_at: Some(now() - age),
        ..Finding::new(FindingKey::new("payments", subject), Severity::High, "", "")
    }
}

/// A look that reached back so far.
fn looked(back: TimeDelta) -> Seen {
    let began = now() - back;
    Seen {
        reach: Some(Reach {
            undelivered: began,
            failures: began,
            invoices: began,
            disputes: began,
            payouts: began,
        }),
        ..well()
    }
}

fn observed(accounts: Vec<Seen>) -> Observation {
    Observation {
        key: Some(Mode::Live),
        accounts,
        ..Observation::default()
    }
}

fn reaches(toml: &str, finding: &Finding, seen: &Observation) -> bool {
    section(toml).reaches(finding, seen, now())
}

const SUBJECTS: [&str; 6] = [
    "webhooks/we_1/all",
    "declines/do_not_honor",
    "invoice/in_1",
    "invoices/no-retry",
    "dispute/dp_1",
    "payout/po_1",
];

#[test]
fn a_look_reaches_what_began_within_it() {
    let seen = observed(vec![looked(DAY * 7)]);
    for subject in SUBJECTS {
        assert!(reaches("", &old(subject, DAY * 6), &seen), "{subject}");
        assert!(!reaches("", &old(subject, DAY * 8), &seen), "{subject}");
        let timeless = Finding {
            began_at: None,
            ..old(subject, DAY)
        };
        assert!(!reaches("", &timeless, &seen), "{subject}");
    }
    for standing in ["endpoint/we_1", "balance/eur", "key"] {
        assert!(reaches("", &old(standing, DAY * 8), &seen), "{standing}");
    }
}

#[test]
fn where_nothing_was_looked_at_nothing_is_called_too_old() {
    let test_key = Observation {
        key: Some(Mode::Test),
        ..Observation::default()
    };
    let mut other = observed(vec![looked(DAY)]);
    other.notices.modes.insert(Mode::Test);
    let barred = observed(vec![Seen {
        barred: Some(Unknown::new(Cause::Auth, "renew the key")),
        ..Seen::default()
    }]);
    let glance = Observation {
        since: Some(now()),
        ..observed(vec![looked(DAY)])
    };
    for seen in [test_key, other, barred, glance] {
        for subject in SUBJECTS {
            assert!(
                reaches("", &old(subject, DAY * 8), &seen),
                "{subject}: {seen:?}"
            );
        }
    }
}

#[test]
fn what_was_found_in_an_account_that_is_looked_at_no_more_is_not_gone() {
    let connected = Seen {
        account: Some("acct_1".to_owned()),
        ..looked(DAY * 7)
    };
    let payout = old("acct_1/payout/po_1", DAY);
    let both = observed(vec![looked(DAY * 7), connected]);
    assert!(reaches("accounts = ['acct_1']", &payout, &both));
    let own = observed(vec![looked(DAY * 7)]);
    assert!(!reaches("", &payout, &own));
}
