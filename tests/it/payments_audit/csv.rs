//! Records in a CSV file.

use std::{fs::File, time::SystemTime};

use daily_ops::{
    checks::{Secrets, payments::audit::Kind},
    report::Cause,
};

use super::{NOW, at, causes, invoice, judged, looking, of_csv, page, section, titles};

#[tokio::test]
async fn each_kind_of_difference_is_a_finding() {
    let lines = "\u{feff}Status, created ,id,amount,currency,whatever\n\
        paid,2026-11-22,in_same,1250,EUR,\"a, b\"\n\
        settled,2026-11-22T10:00:00Z,in_dearer,1300,eur,\n\
        open,1795348800,in_unpaid,500,jpy,\n\
        paid,,in_elsewhere,100,usd,\n\
        paid,,in_gone,2000,kwd,\n\
        paid,,in_twice,100,eur,\n\
        paid,,in_twice,100,eur,\n\
        paid,,in_torn,100,eur,\n\
        open,,in_torn,100,eur,\n\
        paid,2026-10-01,in_old,100,eur,\n";
    let stripe = vec![
        invoice("in_same", 1250, "eur", "paid"),
        invoice("in_dearer", 1250, "eur", "paid"),
        invoice("in_unpaid", 500, "jpy", "paid"),
        invoice("in_elsewhere", 100, "eur", "paid"),
        invoice("in_twice", 100, "eur", "paid"),
        invoice("in_torn", 100, "eur", "paid"),
        invoice("in_new", 999, "usd", "paid"),
    ];
    let (audit, seen) = of_csv("statuses = { Settled = 'paid' }", lines, stripe).await;
    let (findings, unknown) = judged(&audit, &seen);
    let expected = [
        "payments:audit/in_dearer in_dearer differs: €13.00 in your records, €12.50 at Stripe",
        "payments:audit/in_elsewhere in_elsewhere differs: $1.00 in your records, €1.00 at Stripe",
        "payments:audit/in_gone in_gone is in your records, but not at Stripe: KWD 2.000, paid",
        "payments:audit/in_new in_new is not in your records: $9.99, paid",
        "payments:audit/in_torn in_torn stands 2 times in your records, which contradict each other",
        "payments:audit/in_twice in_twice stands 2 times in your records: €1.00, paid",
        "payments:audit/in_unpaid in_unpaid differs: open in your records, paid at Stripe",
    ];
    assert_eq!(titles(&findings).into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(unknown, []);
    assert_eq!(seen.differences.elsewhere, 1);
    assert_eq!(audit.summary(&seen), "audit: 6 invoices compared, 7 differ");
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_unknown_and_its_invoice_is_not_called_missing() {
    let lines = "id,amount,currency,status\nin_1,12.50,eur,paid\nin_2,100,eur,paid\n";
    let stripe = vec![
        invoice("in_1", 1250, "eur", "paid"),
        invoice("in_2", 100, "eur", "paid"),
        invoice("in_3", 100, "eur", "paid"),
    ];
    let (audit, seen) = of_csv("", lines, stripe.clone()).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(
        findings.len(),
        1,
        "in_3 is missing all the same: {findings:?}"
    );
    assert_eq!(
        unknown[0].reason.as_str(),
        "1 record of yours can't be read, and not compared; row 1 (in_1): `amount` is `12.50`, no whole number of minor units; name the column `amount_decimal` if it holds units"
    );
    for nameless in ["in_1,100,eur\n", ",100,eur,paid\n"] {
        let lines = format!("id,amount,currency,status\n{nameless}in_2,100,eur,paid\n");
        let (audit, seen) = of_csv("", &lines, stripe.clone()).await;
        let (findings, unknown) = judged(&audit, &seen);
        assert_eq!(findings, [], "it could be any of them");
        assert_eq!(causes(&unknown), [Cause::Decode]);
    }
}

#[tokio::test]
async fn a_status_that_stripe_does_not_know_is_asked_about_not_reported() {
    let lines = "id,amount,currency,status\nin_1,100,eur,settled\nin_2,100,eur,paid\n";
    let stripe = vec![
        invoice("in_1", 100, "eur", "paid"),
        invoice("in_2", 100, "eur", "paid"),
    ];
    let (audit, seen) = of_csv("", lines, stripe).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(findings, []);
    assert_eq!(
        unknown[0].reason.as_str(),
        "your records use statuses that Stripe doesn't, so these were not compared: `settled` (1); say what they mean with `statuses` in [checks.payments.audit]"
    );
}

#[tokio::test]
async fn a_file_with_the_wrong_columns_says_which() {
    for (lines, said) in [
        (
            "id;amount;currency;status\n",
            "Separate its columns by commas",
        ),
        (
            "id,total,currency,status\n",
            "no column `amount`, only `id`, `total`, `currency`, `status`",
        ),
        ("", "no column `amount`"),
    ] {
        let (audit, seen) = of_csv("", lines, Vec::new()).await;
        let (findings, unknown) = judged(&audit, &seen);
        assert_eq!(
            (findings.len(), causes(&unknown)),
            (0, vec![Cause::NotConfigured])
        );
        assert!(
            unknown[0].reason.as_str().contains(said),
            "{}",
            unknown[0].reason.as_str()
        );
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_unknown_and_stripe_is_not_asked() {
    for (path, cause, said) in [
        (
            "/nowhere/invoices.csv",
            Cause::NotFound,
            "see whether the export ran",
        ),
        ("/dev", Cause::NotConfigured, "is no file"),
    ] {
        let audit = section(&format!("csv = '{path}'"));
        let never = |_| -> futures_util::stream::Empty<_> { panic!("Stripe is asked for nothing") };
        let seen = audit
            .observe(&looking(Secrets::default()), at(NOW), never)
            .await;
        assert_eq!(causes(&seen.gaps), [cause]);
        assert!(
            seen.gaps[0].reason.as_str().contains(said),
            "{}",
            seen.gaps[0].reason.as_str()
        );
    }
}

#[tokio::test]
async fn in_a_file_from_before_the_day_ended_nothing_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, "id,amount,currency,status\nin_1,100,eur,open\n").expect("it is written");
    let written = SystemTime::from(at("2026-11-22T23:00:00Z"));
    let file = File::options().append(true).open(&path).expect("it opens");
    file.set_modified(written).expect("its time is set");
    let audit = section(&format!("csv = {path:?}\ndays = 1"));
    let stripe = vec![
        invoice("in_1", 100, "eur", "paid"),
        invoice("in_2", 100, "eur", "paid"),
    ];
    let seen = audit
        .observe(&looking(Secrets::default()), at(NOW), |_| page(stripe))
        .await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(findings.len(), 1, "in_1 differs: {findings:?}");
    assert!(!seen.differences.groups.contains_key(&Kind::MissingHere));
    let said = unknown[0].reason.as_str();
    assert!(
        said.contains("was last written 2026-11-22 23:00 UTC, before the audited days ended"),
        "{said}"
    );
}

#[tokio::test]
async fn more_records_than_are_allowed_are_unknown() {
    let lines = "id,amount,currency,status\nin_1,1,eur,paid\nin_2,1,eur,paid\nin_3,1,eur,paid\n";
    let stripe = vec![
        invoice("in_3", 1, "eur", "paid"),
        invoice("in_4", 1, "eur", "paid"),
    ];
    let (audit, seen) = of_csv("max_records = 2", lines, stripe).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(causes(&unknown), [Cause::Truncated]);
    assert!(unknown[0].reason.as_str().contains("more than 2 invoices"));
    assert!(
        findings
            .iter()
            .all(|finding| !finding.title.as_str().contains("not in your records"))
    );
}
