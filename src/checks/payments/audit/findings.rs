//! Turns differences into findings. Pure.

use url::Url;

use super::{
    Audit, Compared,
    differences::{Difference, Differences, Group, Kind, Side, Sides},
    period::Period,
};
use crate::{
    checks::payments::{
        money::{Money, Sums},
        subject::Subject,
    },
    report::{Cause, Finding, Severity, Unknown},
    text::{Untrusted, count, thousands},
};

/// With so many invoices on both sides, none in common means that something else is compared.
const TELLING: u64 = 10;

const CURRENCIES: &str = "currencies differ";
const AMOUNTS: &str = "amounts differ";
const CONTRADICTORY: &str = "your records contradict each other";
const REPEATED: &str = "it is recorded more than once, alike";
const ONE_IS_PAID: &str = "only one side calls it paid";
const STATUSES: &str = "statuses differ, neither is paid";

/// What a rule says of an invoice that nobody lacks.
const THERE: [&str; 6] = [
    CURRENCIES,
    AMOUNTS,
    CONTRADICTORY,
    REPEATED,
    ONE_IS_PAID,
    STATUSES,
];

/// Whether a finding of the audit may be that one side lacks an invoice; so it is of any whose rule isn't known here.
pub(in crate::checks::payments) fn may_be_missing(finding: &Finding) -> bool {
    if let Some(group) = finding.key.subject().strip_prefix("audits/") {
        return group.starts_with("missing-");
    }
    let rule = finding.rule.as_str();
    !THERE.iter().any(|why| rule.starts_with(&begun(why)))
}

/// How a rule begins.
fn begun(because: &str) -> String {
    format!("audit: {because}; ")
}

impl Audit {
    /// What the audit found, and why it may not have seen all. `link` leads to an invoice at Stripe.
    pub fn findings(
        &self,
        seen: &Compared,
        link: impl Fn(&str) -> Option<Url>,
    ) -> (Vec<Finding>, Vec<Unknown>) {
        let differences = &seen.differences;
        let mut unknown = seen.gaps.clone();
        unknown.extend(unreadable(differences));
        unknown.extend(unmapped(differences));
        let strangers = strangers(differences);
        let mut findings = Vec::new();
        for (kind, group) in &differences.groups {
            if strangers.is_some() && matches!(kind, Kind::MissingHere | Kind::MissingAtStripe) {
                continue;
            }
            let each = group
                .kept()
                .map(|difference| finding(difference, &seen.period, &link));
            findings.extend(each);
            findings.extend(rest(*kind, group, &seen.period));
        }
        unknown.extend(strangers);
        (findings, unknown)
    }

    /// "audit: 1,204 invoices compared, 3 differ".
    pub fn summary(&self, seen: &Compared) -> String {
        let differences = &seen.differences;
        let compared = usize::try_from(differences.both).unwrap_or(usize::MAX);
        let differ = match differences.number() {
            0 => "none differs".to_owned(),
            1 => "1 differs".to_owned(),
            number => format!("{} differ", thousands(number)),
        };
        let rest = if seen.gaps.is_empty() {
            ""
        } else {
            ", not all seen"
        };
        format!(
            "audit: {} compared, {differ}{rest}",
            count(compared, "invoice")
        )
    }
}

fn finding(
    difference: &Difference,
    period: &Period,
    link: impl Fn(&str) -> Option<Url>,
) -> Finding {
    let id = &difference.id;
    let stake = difference.stake();
    let (severity, because) = severity(difference);
    let key = Subject::new(None, "audit", id).key();
    let mut finding = Finding::new(
        key,
        severity,
        format!("{}{stake} in question", begun(because)),
        format!("{id} {}", title(difference)),
    );
    finding.magnitude = magnitude(stake);
    // Whatever doesn't say when it was created is of the days that were compared.
    finding.began_at = difference.created.or(Some(period.from));
    finding.evidence = evidence(difference, period);
    finding.link = match difference.sides {
        Sides::Ours(_) => None,
        Sides::Stripes(_) | Sides::Both { .. } => link(id),
    };
    finding
}

fn magnitude(stake: Money) -> u64 {
    u64::try_from(stake.minor).unwrap_or(u64::MAX)
}

fn title(difference: &Difference) -> String {
    match (&difference.sides, difference.kind) {
        (Sides::Stripes(side), _) => format!("is not in your records: {}", said(side)),
        (Sides::Ours(side), Kind::MissingAtStripe) => {
            format!("is in your records, but not at Stripe: {}", said(side))
        }
        (Sides::Ours(_), Kind::Contradictory) => format!(
            "stands {} times in your records, which contradict each other",
            difference.times
        ),
        (Sides::Ours(side), _) => format!(
            "stands {} times in your records: {}",
            difference.times,
            said(side)
        ),
        (Sides::Both { ours, stripes }, _) => {
            let money = (ours.money != stripes.money).then(|| {
                format!(
                    "{} in your records, {} at Stripe",
                    ours.money, stripes.money
                )
            });
            let status = (ours.status != stripes.status).then(|| {
                let (ours, stripes) = (ours.status.as_str(), stripes.status.as_str());
                format!("{ours} in your records, {stripes} at Stripe")
            });
            let said: Vec<String> = money.into_iter().chain(status).collect();
            format!("differs: {}", said.join("; "))
        }
    }
}

/// "€12.00, paid".
fn said(side: &Side) -> String {
    format!("{}, {}", side.money, side.status.as_str())
}

fn evidence(difference: &Difference, period: &Period) -> Vec<Untrusted> {
    let (ours, stripes) = match &difference.sides {
        Sides::Ours(ours) => (Some(ours), None),
        Sides::Stripes(stripes) => (None, Some(stripes)),
        Sides::Both { ours, stripes } => (Some(ours), Some(stripes)),
    };
    let line = |name: &str, side: Option<&Side>| match side {
        Some(side) => format!("{name}: {}", said(side)),
        None => format!("{name}: nothing of it was found"),
    };
    let mut lines = match difference.kind {
        Kind::Contradictory | Kind::Repeated => vec![line("the first of your records", ours)],
        _ => vec![line("your records", ours), line("Stripe", stripes)],
    };
    if difference.times > 1 {
        lines.push(format!("{} records of it are yours", difference.times));
    }
    lines.extend(
        difference
            .created
            .map(|at| format!("created {}", at.format("%Y-%m-%d %H:%M:%S UTC"))),
    );
    lines.push(days(period));
    lines.into_iter().map(Untrusted::from).collect()
}

/// "audited: 2026-11-22 00:00 to 2026-11-23 00:00 UTC".
fn days(period: &Period) -> String {
    format!(
        "audited: {} to {} UTC",
        period.from.format("%Y-%m-%d %H:%M"),
        period.to.format("%Y-%m-%d %H:%M")
    )
}

/// By what it is worth to know: money that came or didn't, before words.
fn severity(difference: &Difference) -> (Severity, &'static str) {
    let paid = |side: &Side| side.status.as_str() == "paid";
    let live = |side: &Side| matches!(side.status.as_str(), "paid" | "open");
    match (&difference.sides, difference.kind) {
        (_, Kind::MissingAtStripe) => {
            (Severity::High, "your records name what Stripe doesn't have")
        }
        (_, Kind::Currency) => (Severity::High, CURRENCIES),
        (_, Kind::Amount) => (Severity::High, AMOUNTS),
        (_, Kind::Contradictory) => (Severity::Medium, CONTRADICTORY),
        (_, Kind::Repeated) => (Severity::Low, REPEATED),
        (Sides::Stripes(side), _) if live(side) => {
            (Severity::High, "paid or open at Stripe, not recorded")
        }
        (Sides::Both { ours, stripes }, _) if paid(ours) != paid(stripes) => {
            (Severity::High, ONE_IS_PAID)
        }
        (Sides::Both { .. }, _) => (Severity::Medium, STATUSES),
        _ => (
            Severity::Medium,
            "neither paid nor open at Stripe, not recorded",
        ),
    }
}

/// How a group is named in a key, and in a title.
fn name(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::MissingHere => ("missing-here", "not in your records"),
        Kind::MissingAtStripe => ("missing-at-stripe", "in your records, but not at Stripe"),
        Kind::Currency => ("currency", "in different currencies on the two sides"),
        Kind::Amount => ("amount", "with different amounts on the two sides"),
        Kind::Status => ("status", "with different statuses on the two sides"),
        Kind::Contradictory => (
            "contradictory",
            "recorded several times, with contradictions",
        ),
        Kind::Repeated => ("repeated", "recorded several times"),
    }
}

/// Those of a kind that have no finding of their own.
fn rest(kind: Kind, group: &Group, period: &Period) -> Option<Finding> {
    let kept = group.kept().count();
    let number = group.number.saturating_sub(kept as u64);
    if number == 0 {
        return None;
    }
    let mut stakes = group.stakes.clone();
    for difference in group.kept() {
        let stake = difference.stake();
        stakes.add(Money::new(-stake.minor, stake.currency));
    }
    let stakes: Sums = stakes.iter().filter(|money| money.minor != 0).collect();
    let (key, words) = name(kind);
    let severity = match kind {
        Kind::Contradictory | Kind::Status => Severity::Medium,
        Kind::Repeated => Severity::Low,
        _ => Severity::High,
    };
    let others = if kept > 0 { " more" } else { "" };
    let noun = if number == 1 { "invoice" } else { "invoices" };
    let mut finding = Finding::new(
        Subject::new(None, "audits", key).key(),
        severity,
        format!(
            "audit: {} {noun} beyond the {kept} that are named",
            thousands(number)
        ),
        format!("{}{others} {noun} {words}", thousands(number)),
    );
    finding.magnitude = number;
    finding.began_at = Some(group.began.unwrap_or(period.from));
    if !stakes.is_empty() {
        finding
            .evidence
            .push(format!("in question: {stakes}").into());
    }
    finding.evidence.push(days(period).into());
    Some(finding)
}

fn unreadable(differences: &Differences) -> Option<Unknown> {
    let number = usize::try_from(differences.unreadable).unwrap_or(usize::MAX);
    let examples: Vec<&str> = differences
        .why_unreadable
        .iter()
        .map(Untrusted::as_str)
        .collect();
    let reason = format!(
        "{} of yours can't be read, and not compared; {}",
        count(number, "record"),
        examples.join("; ")
    );
    (number > 0).then(|| Unknown::new(Cause::Decode, reason))
}

fn unmapped(differences: &Differences) -> Option<Unknown> {
    let words: Vec<String> = differences
        .unmapped
        .iter()
        .take(5)
        .map(|(word, number)| format!("`{}` ({})", word.as_str(), thousands(*number)))
        .collect();
    let reason = format!(
        "your records use statuses that Stripe doesn't, so these were not compared: {}; say what they mean with `statuses` in [checks.payments.audit]",
        words.join(", ")
    );
    (!words.is_empty()).then(|| Unknown::new(Cause::NotConfigured, reason))
}

/// Two sides that have nothing in common are of two accounts, or compared by the wrong column.
fn strangers(differences: &Differences) -> Option<Unknown> {
    let (own, stripes) = (differences.own, differences.stripes);
    let reason = format!(
        "none of your {} records is one of Stripe's {} invoices; see whether `id` is Stripe's (in_...), and whether STRIPE_API_KEY is of the same account",
        thousands(own),
        thousands(stripes)
    );
    let complete = differences.own_complete && differences.stripes_complete;
    let strange = complete && differences.both == 0 && own >= TELLING && stripes >= TELLING;
    strange.then(|| Unknown::new(Cause::NotConfigured, reason))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use chrono_tz::Tz;

    use super::*;
    use crate::checks::payments::money::Currency;

    fn of(kind: Kind) -> Finding {
        let euro: Currency = "eur".parse().unwrap();
        let side = |minor, status: &str| Side {
            money: Money::new(minor, euro),
            status: status.into(),
        };
        let sides = match kind {
            Kind::MissingHere => Sides::Stripes(side(5, "paid")),
            Kind::MissingAtStripe | Kind::Contradictory | Kind::Repeated => {
                Sides::Ours(side(5, "paid"))
            }
            Kind::Currency | Kind::Amount | Kind::Status => Sides::Both {
                ours: side(5, "paid"),
                stripes: side(5, "open"),
            },
        };
        let difference = Difference {
            id: "in_1".to_owned(),
            kind,
            sides,
            times: 1,
            created: None,
        };
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        let period = Period::before(now, 1, TimeDelta::hours(1), Tz::UTC);
        finding(&difference, &period, |_| None)
    }

    #[test]
    fn what_may_be_missing_is_told_from_what_is_there_and_differs() {
        for kind in [Kind::MissingHere, Kind::MissingAtStripe] {
            assert!(may_be_missing(&of(kind)), "{kind:?}");
        }
        for kind in [
            Kind::Currency,
            Kind::Amount,
            Kind::Status,
            Kind::Contradictory,
            Kind::Repeated,
        ] {
            let mut finding = of(kind);
            assert!(!may_be_missing(&finding), "{kind:?}");
            finding.rule = "in words of another version".into();
            assert!(may_be_missing(&finding), "{kind:?}");
        }
    }
}
