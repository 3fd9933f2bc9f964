//! How findings and refusals read.

use daily_ops::{
    checks::payments::audit::Audit,
    report::{Cause, Severity},
};
use url::Url;

use super::{invoice, judged, of_csv};

const HEADER: &str = "id,amount,currency,status,created\n";

#[tokio::test]
async fn a_finding_tells_its_rule_its_stake_and_both_sides() {
    let lines = format!("{HEADER}in_1,1300,eur,open,2026-11-22T10:00:00Z\n");
    let stripe = vec![invoice("in_1", 1250, "eur", "paid")];
    let (audit, seen) = of_csv("", &lines, stripe).await;
    let link = |id: &str| {
        Url::parse("https://dashboard.stripe.com/invoices/")
            .ok()?
            .join(id)
            .ok()
    };
    let (findings, _) = audit.findings(&seen, link);
    let finding = &findings[0];
    assert_eq!(
        finding.title.as_str(),
        "in_1 differs: €13.00 in your records, €12.50 at Stripe; open in your records, paid at Stripe"
    );
    assert_eq!(
        finding.rule.as_str(),
        "audit: amounts differ; €0.50 in question"
    );
    assert_eq!((finding.severity, finding.magnitude), (Severity::High, 50));
    assert_eq!(finding.began_at, Some(super::noon()));
    assert_eq!(
        finding.link.as_ref().map(Url::as_str),
        Some("https://dashboard.stripe.com/invoices/in_1")
    );
    let evidence: Vec<&str> = finding.evidence.iter().map(|line| line.as_str()).collect();
    assert_eq!(
        evidence,
        [
            "your records: €13.00, open",
            "Stripe: €12.50, paid",
            "created 2026-11-22 12:00:00 UTC",
            "audited: 2026-11-22 00:00 to 2026-11-23 00:00 UTC",
        ]
    );
}

#[tokio::test]
async fn beyond_the_named_ones_the_rest_is_counted_exactly_with_its_money() {
    let mut stripe: Vec<_> = (1..=120)
        .map(|number| invoice(&format!("in_{number}"), number * 100, "eur", "paid"))
        .collect();
    stripe.push(invoice("in_yen", 70, "jpy", "paid"));
    stripe.push(invoice("in_both", 5, "eur", "paid"));
    let lines = format!("{HEADER}in_both,5,eur,paid,\n");
    let (audit, seen) = of_csv("", &lines, stripe).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!((findings.len(), unknown.len()), (51, 0));
    assert_eq!(findings[0].key.to_string(), "payments:audit/in_120");
    assert_eq!(findings[49].key.to_string(), "payments:audit/in_71");
    let rest = &findings[50];
    assert_eq!(rest.key.to_string(), "payments:audits/missing-here");
    assert_eq!(rest.title.as_str(), "71 more invoices not in your records");
    assert_eq!(rest.magnitude, 71);
    assert_eq!(rest.evidence[0].as_str(), "in question: €2,485.00, ¥70");
    assert_eq!(
        rest.rule.as_str(),
        "audit: 71 invoices beyond the 50 that are named"
    );
    let (audit, seen) = of_csv(
        "findings = 0",
        HEADER,
        vec![invoice("in_1", 5, "eur", "paid")],
    )
    .await;
    let (findings, _) = judged(&audit, &seen);
    assert_eq!(findings[0].title.as_str(), "1 invoice not in your records");
}

#[tokio::test]
async fn two_sides_with_nothing_in_common_are_a_mistake_not_twenty_findings() {
    let stripe = (0..10).map(|number| invoice(&format!("in_{number}"), 1, "eur", "paid"));
    let lines: String = (0..10)
        .map(|number| format!("INV-{number},1,eur,paid,\n"))
        .collect();
    let (audit, seen) = of_csv("", &format!("{HEADER}{lines}"), stripe.collect()).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(
        (findings.len(), unknown[0].cause),
        (0, Cause::NotConfigured)
    );
    assert_eq!(
        unknown[0].reason.as_str(),
        "none of your 10 records is one of Stripe's 10 invoices; see whether `id` is Stripe's (in_...), and whether STRIPE_API_KEY is of the same account"
    );
}

#[tokio::test]
async fn ids_and_statuses_from_outside_can_not_break_out_of_their_line() {
    let lines = format!("{HEADER}\"in_\u{202e}1\n<!channel>\",5,eur,paid,\n");
    let (audit, seen) = of_csv("", &lines, Vec::new()).await;
    let (findings, _) = judged(&audit, &seen);
    assert_eq!(
        findings[0].key.to_string(),
        "payments:audit/in_1-<!channel>"
    );
    assert!(!findings[0].title.as_str().contains(['\n', '\u{202e}']));
}

#[test]
fn a_wrong_section_names_its_field() {
    let refusal = |toml: &str| -> String {
        let read: Result<Audit, _> = toml::from_str(toml);
        let outcome = read
            .map_err(anyhow::Error::from)
            .and_then(|audit| audit.validate());
        format!("{:#}", outcome.expect_err("this section is wrong"))
    };
    for (toml, said) in [
        ("", "neither `query` nor `csv`"),
        ("query = 'SELECT 1'\ncsv = 'x'", "both set"),
        ("query = 'DELETE FROM invoices'", "`query` is one SELECT"),
        ("csv = ''", "`csv`"),
        ("csv = 'x'\ndays = 0", "`days`"),
        ("csv = 'x'\ngrace = '2d'", "`grace`"),
        ("csv = 'x'\nmax_pages = 0", "`max_pages`"),
        ("csv = 'x'\nmax_records = 0", "`max_records`"),
        ("csv = 'x'\nfindings = 1001", "`findings`"),
        ("csv = 'x'\nquery_timeout = '0s'", "`query_timeout`"),
        (
            "csv = 'x'\nstatuses = { settled = 'payed' }",
            "did you mean `paid`?",
        ),
        ("csv = 'x'\nignored = ['drafts']", "did you mean `draft`?"),
        ("csv = 'x'\nurl = 'postgres://x'", "unknown field `url`"),
        ("csv = 'x'\ntime_zone = 'Berlin'", "time_zone"),
    ] {
        let message = refusal(toml);
        assert!(message.contains(said), "{toml}: {message}");
    }
    for toml in [
        "query = 'SELECT 1'",
        "query = '''\n (with x as (select 1) select 2)'''",
    ] {
        let audit: Audit = toml::from_str(toml).expect("a section");
        audit.validate().expect("it is right");
    }
}
