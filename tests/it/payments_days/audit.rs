//! Differences of the audit that grow older than the days that are compared.

use std::{fs::File, path::PathBuf};

use daily_ops::report::Beyond;

use super::{DAY, Days, HOUR};
use crate::world::stripe::invoice;

const KEY: &str = "payments:audit/in_1";

/// One's own records, which hold nothing.
async fn audited(more: &str) -> (Days, PathBuf) {
    let folder = tempfile::TempDir::new()
        .expect("a folder can be made")
        .keep();
    let path = folder.join("invoices.csv");
    std::fs::write(&path, "id,amount,currency,status\n").expect("the file is written");
    let toml = format!("[checks.payments.audit]\ncsv = {path:?}\ndays = 3\n{more}");
    let days = Days::with(&toml, |stripe| {
        stripe.with(invoice("in_1").of("cus_1").eur(4_900).ago(DAY * 2).paid())
    })
    .await;
    (days, path)
}

fn exported(days: &Days, path: &PathBuf) {
    let file = File::options().append(true).open(path).expect("it opens");
    file.set_modified(days.company.now().into())
        .expect("it can be dated");
}

#[tokio::test]
async fn a_difference_stays_until_somebody_handles_it() {
    let (days, path) = audited("").await;
    exported(&days, &path);
    assert_eq!(days.now().await.needs_you(), [KEY]);
    for _ in 0..5 {
        days.company.later(DAY);
        exported(&days, &path);
        let morning = days.now().await;
        assert_eq!(morning.needs_you(), [KEY], "{:?}", morning.reasons());
        assert!(morning.gone().is_empty());
    }
    assert!(days.now().await.is_aged(KEY));
    days.somebody(&format!("handle {KEY} written down by hand"))
        .await;
    let morning = days.after(HOUR).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn a_difference_that_is_only_counted_now_is_not_gone() {
    let (days, path) = audited("findings = 1\n").await;
    exported(&days, &path);
    assert_eq!(days.now().await.needs_you(), [KEY]);
    let larger = invoice("in_2").of("cus_1").eur(9_900).ago(HOUR).paid();
    days.stripe.world().add(larger);
    days.company.later(DAY);
    exported(&days, &path);
    let morning = days.now().await;
    let mut found = morning.needs_you();
    found.sort();
    assert_eq!(
        found,
        [KEY, "payments:audit/in_2", "payments:audits/missing-here"]
    );
    assert!(morning.gone().is_empty() && !morning.is_aged(KEY));
}

#[tokio::test]
async fn without_an_audit_nothing_that_it_found_is_called_gone() {
    let (days, path) = audited("").await;
    exported(&days, &path);
    days.now().await;
    let days = days.reconfigured("[checks.payments.audit]", "").await;
    let morning = days.after(HOUR).await;
    assert_eq!(
        (morning.needs_you(), morning.gone()),
        (vec![KEY.to_owned()], vec![])
    );
    assert!(morning.is_beyond(KEY, Beyond::LeftOut));
}
