//! Invoices near the edges of the audited days, and streams that end too early.

use chrono::{DateTime, Utc};
use daily_ops::{
    checks::{
        Secrets,
        payments::audit::{Page, StripeInvoice},
    },
    report::{Cause, Unknown},
};
use futures_util::stream;

use super::{NOW, at, causes, invoice, judged, looking, of_csv, section, titles};

const HEADER: &str = "id,amount,currency,status,created\n";

fn created(at: DateTime<Utc>) -> StripeInvoice {
    StripeInvoice {
        created: at,
        ..invoice("in_1", 100, "eur", "paid")
    }
}

#[tokio::test]
async fn an_invoice_is_missing_here_only_if_it_is_of_the_day() {
    for (time, missing) in [
        ("2026-11-21T23:59:59Z", false),
        ("2026-11-22T00:00:00Z", true),
        ("2026-11-22T23:59:59Z", true),
        ("2026-11-23T00:00:00Z", false),
    ] {
        let (audit, seen) = of_csv("", HEADER, vec![created(at(time))]).await;
        let (findings, unknown) = judged(&audit, &seen);
        assert_eq!(findings.len(), usize::from(missing), "{time}");
        assert_eq!(unknown, []);
    }
}

#[tokio::test]
async fn a_record_is_missing_at_stripe_only_if_it_is_of_the_day_or_tells_no_time() {
    for (time, missing) in [
        ("2026-11-21T23:59:59Z", false),
        ("2026-11-22T00:00:00Z", true),
        ("2026-11-22T23:59:59Z", true),
        ("2026-11-23T00:00:00Z", false),
        ("", true),
    ] {
        let line = format!("{HEADER}in_1,100,eur,paid,{time}\n");
        let (audit, seen) = of_csv("", &line, Vec::new()).await;
        assert_eq!(
            judged(&audit, &seen).0.len(),
            usize::from(missing),
            "{time}"
        );
    }
}

#[tokio::test]
async fn clocks_that_differ_by_the_grace_make_no_difference() {
    for (ours, stripes) in [
        ("2026-11-21T23:00:00Z", "2026-11-22T00:00:00Z"),
        ("2026-11-23T00:59:59Z", "2026-11-22T23:59:59Z"),
        ("2026-11-22T00:00:00Z", "2026-11-21T23:00:00Z"),
        ("2026-11-22T23:59:59Z", "2026-11-23T00:59:59Z"),
    ] {
        let line = format!("{HEADER}in_1,100,eur,paid,{ours}\n");
        let (audit, seen) = of_csv("", &line, vec![created(at(stripes))]).await;
        assert_eq!(
            judged(&audit, &seen),
            (Vec::new(), Vec::new()),
            "{ours} {stripes}"
        );
        assert_eq!(seen.differences.both, 1);
    }
}

#[tokio::test]
async fn stripe_is_asked_for_more_than_the_day_by_twice_the_grace() {
    let audit = section("csv = '/nowhere'\ndays = 2\ngrace = '30m'\ntime_zone = 'Europe/Berlin'");
    let (from, to) = audit.period(at(NOW), None).at_stripe();
    let expected = (at("2026-11-20T22:00:00Z"), at("2026-11-23T00:00:00Z"));
    assert_eq!((from, to), expected);
}

#[test]
fn the_days_begin_with_the_oldest_difference_that_nobody_has_dealt_with() {
    let query = "query = 'SELECT * FROM invoices WHERE at >= $1 AND at < $2'\ndays = 2";
    let first = |toml: &str, since: &str| section(toml).period(at(NOW), Some(at(since))).from;
    assert_eq!(
        first(query, "2026-11-15T13:00:00Z"),
        at("2026-11-15T00:00:00Z")
    );
    assert_eq!(
        first(query, "2026-11-22T13:00:00Z"),
        at("2026-11-21T00:00:00Z")
    );
    assert_eq!(
        first(query, "2026-01-01T00:00:00Z"),
        at("2026-10-23T00:00:00Z"),
        "31 days at most"
    );
    for fixed in ["csv = 'x'\ndays = 2", "query = 'SELECT 1'\ndays = 2"] {
        assert_eq!(
            first(fixed, "2026-11-15T13:00:00Z"),
            at("2026-11-21T00:00:00Z")
        );
    }
}

/// Records of `in_1` and `in_2`, of which Stripe's pages are these.
async fn cut_off(pages: Vec<Result<Page, Unknown>>, more: &str) -> (Vec<String>, Vec<Unknown>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    let lines = "id,amount,currency,status\nin_1,101,eur,paid\nin_2,100,eur,paid\n";
    std::fs::write(&path, lines).expect("the file is written");
    let audit = section(&format!("csv = {path:?}\ndays = 1\n{more}"));
    let seen = audit
        .observe(&looking(Secrets::default()), at(NOW), |_| {
            stream::iter(pages)
        })
        .await;
    let (findings, unknown) = judged(&audit, &seen);
    (titles(&findings).into_iter().collect(), unknown)
}

#[tokio::test]
async fn a_list_that_breaks_off_is_unknown_with_what_was_read_and_nothing_is_missing() {
    let first = || {
        Ok(Page {
            invoices: vec![invoice("in_1", 100, "eur", "paid")],
            more: true,
        })
    };
    let no = || Err(Unknown::new(Cause::Upstream, "Stripe answered 503"));
    let differs = ["payments:audit/in_1 in_1 differs: €1.01 in your records, €1.00 at Stripe"];
    for (pages, more, cause, said) in [
        (
            vec![first(), no()],
            "",
            Cause::Upstream,
            "only 1 invoice of Stripe's were compared with your records: Stripe answered 503",
        ),
        (
            vec![first()],
            "",
            Cause::Decode,
            "ended before its last page",
        ),
        (
            vec![first(), first()],
            "max_pages = 1",
            Cause::Truncated,
            "raise `max_pages`",
        ),
    ] {
        let (findings, unknown) = cut_off(pages, more).await;
        assert_eq!(findings, differs, "{more}");
        assert_eq!(causes(&unknown), [cause]);
        assert!(
            unknown[0].reason.as_str().contains(said),
            "{}",
            unknown[0].reason.as_str()
        );
    }
    let (findings, unknown) = cut_off(vec![no()], "").await;
    assert_eq!(
        (findings.len(), unknown[0].reason.as_str()),
        (0, "Stripe answered 503")
    );
}

#[tokio::test]
async fn no_page_is_asked_for_beyond_those_that_are_allowed() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let audit = section("csv = '/dev/null'\nmax_pages = 3");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, HEADER).expect("the file is written");
    let audit = daily_ops::checks::payments::audit::Audit {
        csv: Some(path),
        ..audit
    };
    let pages = stream::repeat_with(|| {
        asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Page {
            invoices: Vec::new(),
            more: true,
        })
    });
    let seen = audit
        .observe(&looking(Secrets::default()), at(NOW), |_| pages)
        .await;
    assert_eq!(causes(&seen.gaps), [Cause::Truncated]);
    assert_eq!(asked.into_inner(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hangs_ends_with_the_time() {
    let audit = section("csv = '/nowhere'");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, HEADER).expect("the file is written");
    let audit = daily_ops::checks::payments::audit::Audit {
        csv: Some(path),
        ..audit
    };
    let looking = looking(Secrets::default());
    let seen = audit
        .observe(&looking, at(NOW), |_| stream::pending())
        .await;
    assert_eq!(causes(&seen.gaps), [Cause::Timeout]);
    assert!(seen.gaps[0].reason.as_str().contains("raise `time_limit`"));
}
