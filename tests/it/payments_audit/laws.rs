//! Laws of the comparison, for any invoices in any order.

use std::collections::{BTreeMap, BTreeSet};

use daily_ops::checks::payments::audit::{
    Differences, Kind, OwnRecord, Period, Rules, Sides, StripeInvoice, compare,
};
use proptest::{prelude::*, sample::Index, strategy::ValueTree};

use super::{NOW, at, hours, noon};

const CURRENCIES: [&str; 4] = ["eur", "usd", "jpy", "kwd"];
const STATUSES: [&str; 4] = ["open", "paid", "uncollectible", "void"];

fn rules() -> Rules {
    Rules {
        period: Period::before(at(NOW), 1, hours(1), chrono_tz::Tz::UTC),
        statuses: BTreeMap::new(),
        ignored: BTreeSet::from(["draft".to_owned()]),
        most: 10_000,
        kept: 10_000,
    }
}

fn invoices() -> impl Strategy<Value = Vec<StripeInvoice>> {
    let seconds = 0..86_400_i64;
    let one = (any::<i64>(), 0..4_usize, 0..4_usize, seconds);
    prop::collection::btree_map("in_[a-zA-Z0-9]{1,24}", one, 1..60).prop_map(|all| {
        all.into_iter()
            .map(|(id, (total, currency, status, second))| StripeInvoice {
                id,
                total: total / 4,
                currency: CURRENCIES[currency].parse().expect("a currency"),
                status: STATUSES[status].to_owned(),
                created: at("2026-11-22T00:00:00Z") + chrono::TimeDelta::seconds(second),
            })
            .collect()
    })
}

/// The records that agree with them.
fn records(invoices: &[StripeInvoice]) -> Vec<OwnRecord<'_>> {
    invoices
        .iter()
        .map(|invoice| OwnRecord {
            id: &invoice.id,
            amount: invoice.total,
            currency: invoice.currency,
            status: &invoice.status,
            created: Some(invoice.created),
        })
        .collect()
}

fn kinds(differences: &Differences) -> Vec<(Kind, Vec<String>)> {
    differences
        .groups
        .iter()
        .map(|(kind, group)| {
            let ids: BTreeSet<String> = group.kept().map(|one| one.id.clone()).collect();
            assert_eq!(group.number, ids.len() as u64, "each counts once");
            (*kind, ids.into_iter().collect())
        })
        .collect()
}

fn shuffled() -> impl Strategy<Value = (Vec<StripeInvoice>, Vec<StripeInvoice>)> {
    invoices().prop_flat_map(|all| (Just(all.clone()).prop_shuffle(), Just(all).prop_shuffle()))
}

proptest! {
    #[test]
    fn the_same_on_both_sides_in_any_order_is_no_difference((ours, stripes) in shuffled()) {
        let found = compare(records(&ours), stripes.clone(), &rules());
        prop_assert_eq!(found.number(), 0);
        prop_assert_eq!(found.both, stripes.len() as u64);
        prop_assert!(found.own_complete && found.stripes_complete);
    }

    #[test]
    fn the_order_tells_nothing(
        (ours, stripes) in shuffled(), lost in any::<Index>(), changed in any::<Index>(),
    ) {
        let differing = |ours: &[StripeInvoice], stripes: &[StripeInvoice]| {
            let mut stripes = stripes.to_vec();
            stripes.sort_by(|a, b| a.id.cmp(&b.id));
            let place = changed.index(stripes.len());
            stripes[place].total += 7;
            stripes.remove(lost.index(stripes.len()));
            compare(records(ours), stripes, &rules())
        };
        let mut sorted = ours.clone();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(differing(&ours, &stripes), differing(&sorted, &sorted));
    }

    #[test]
    fn one_changed_field_is_exactly_that_difference(
        (ours, mut stripes) in shuffled(), which in any::<Index>(), field in 0..3_usize,
    ) {
        let place = which.index(stripes.len());
        let one = &mut stripes[place];
        let kind = match field {
            0 => {
                one.total += 1;
                Kind::Amount
            }
            1 => {
                let other = if one.currency.as_str() == "eur" { "usd" } else { "eur" };
                one.currency = other.parse().expect("a currency");
                Kind::Currency
            }
            _ => {
                one.status = if one.status == "paid" { "open" } else { "paid" }.to_owned();
                Kind::Status
            }
        };
        let id = one.id.clone();
        let found = compare(records(&ours), stripes, &rules());
        prop_assert_eq!(kinds(&found), vec![(kind, vec![id])]);
        prop_assert!(found.unmapped.is_empty());
    }

    #[test]
    fn what_is_missing_on_one_side_is_what_the_other_has_alone(
        (all, _) in shuffled(), here in prop::collection::vec(any::<bool>(), 60), there in prop::collection::vec(any::<bool>(), 60),
    ) {
        let chosen = |keep: &[bool]| -> Vec<StripeInvoice> {
            all.iter().zip(keep).filter(|(_, keep)| **keep).map(|(one, _)| one.clone()).collect()
        };
        let (ours, stripes) = (chosen(&here), chosen(&there));
        let found = compare(records(&ours), stripes.clone(), &rules());
        let mirrored = compare(records(&stripes), ours.clone(), &rules());
        let ids = |found: &Differences, kind| -> BTreeSet<String> {
            found.groups.get(&kind).into_iter().flat_map(|group| group.kept()).map(|one| one.id.clone()).collect()
        };
        prop_assert_eq!(ids(&found, Kind::MissingHere), ids(&mirrored, Kind::MissingAtStripe));
        prop_assert_eq!(ids(&found, Kind::MissingAtStripe), ids(&mirrored, Kind::MissingHere));
        let ours: BTreeSet<&str> = ours.iter().map(|one| one.id.as_str()).collect();
        let alone: BTreeSet<String> = stripes.iter().map(|one| one.id.clone()).filter(|id| !ours.contains(id.as_str())).collect();
        prop_assert_eq!(ids(&found, Kind::MissingHere), alone);
        prop_assert_eq!(found.number(), mirrored.number());
    }

    #[test]
    fn the_worst_are_kept_and_all_are_counted((all, _) in shuffled(), kept in 0..5_usize) {
        let few = compare([], all.clone(), &Rules { kept, ..rules() });
        let every = compare([], all.clone(), &rules());
        let (few, every) = (&few.groups[&Kind::MissingHere], &every.groups[&Kind::MissingHere]);
        prop_assert_eq!((few.number, &few.stakes), (every.number, &every.stakes));
        let worst: Vec<&str> = every.kept().take(kept).map(|one| one.id.as_str()).collect();
        prop_assert_eq!(few.kept().map(|one| one.id.as_str()).collect::<Vec<_>>(), worst);
        let stakes: Vec<i128> = every.kept().map(|one| one.stake().minor).collect();
        prop_assert!(stakes.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn an_invoice_that_stands_twice_is_one_difference_however_often_it_differs() {
    let stripes = vec![super::invoice("in_1", 100, "eur", "paid")];
    let record = records(&stripes)[0];
    let twice = compare([record, record], stripes.clone(), &rules());
    assert_eq!(kinds(&twice), [(Kind::Repeated, vec!["in_1".to_owned()])]);
    let dearer = OwnRecord {
        amount: 101,
        ..record
    };
    let differing = compare([dearer, dearer], stripes.clone(), &rules());
    assert_eq!(kinds(&differing), [(Kind::Amount, vec!["in_1".to_owned()])]);
    let torn = compare([record, dearer, record], stripes.clone(), &rules());
    assert_eq!(
        kinds(&torn),
        [(Kind::Contradictory, vec!["in_1".to_owned()])]
    );
    assert_eq!(
        torn.groups[&Kind::Contradictory]
            .kept()
            .next()
            .map(|one| one.times),
        Some(3)
    );
}

#[test]
fn what_stripe_sends_twice_counts_once() {
    let one = super::invoice("in_1", 100, "eur", "paid");
    let found = compare([], vec![one.clone(), one.clone()], &rules());
    assert_eq!(found.groups[&Kind::MissingHere].number, 1);
    let own = [one.clone()];
    let found = compare(records(&own), vec![one.clone(), one], &rules());
    assert_eq!((found.number(), found.stripes, found.both), (0, 1, 1));
}

#[test]
fn a_side_that_holds_more_than_fits_misses_nothing() {
    let stripes: Vec<StripeInvoice> = (0..5)
        .map(|number| super::invoice(&format!("in_{number}"), 1, "eur", "paid"))
        .collect();
    let few = Rules { most: 3, ..rules() };
    let found = compare(records(&stripes), [], &few);
    assert!(!found.own_complete);
    assert_eq!(
        found.groups[&Kind::MissingAtStripe].number,
        3,
        "that these are missing is known"
    );
    let found = compare(records(&stripes[3..]), stripes.clone(), &few);
    assert!(found.stripes_complete && found.own_complete);
    assert_eq!(found.groups[&Kind::MissingHere].number, 3);
}

#[test]
fn drafts_need_not_be_on_both_sides_but_a_payment_of_a_draft_is_a_difference() {
    let draft = vec![super::invoice("in_1", 100, "eur", "draft")];
    assert_eq!(compare([], draft.clone(), &rules()).number(), 0);
    assert_eq!(compare(records(&draft), [], &rules()).number(), 0);
    let growing = vec![super::invoice("in_1", 300, "eur", "draft")];
    assert_eq!(compare(records(&draft), growing, &rules()).number(), 0);
    let paid = vec![super::invoice("in_1", 100, "eur", "paid")];
    let found = compare(records(&draft), paid, &rules());
    assert_eq!(kinds(&found), [(Kind::Status, vec!["in_1".to_owned()])]);
    let all = Rules {
        ignored: BTreeSet::new(),
        ..rules()
    };
    let found = compare([], draft, &all);
    let group = &found.groups[&Kind::MissingHere];
    assert!(matches!(
        group.kept().next().map(|one| &one.sides),
        Some(Sides::Stripes(_))
    ));
}

#[test]
fn a_record_from_before_and_its_partner_from_within_belong_together() {
    let created = at("2026-11-22T00:00:30Z");
    let stripes = StripeInvoice {
        created,
        ..super::invoice("in_1", 100, "eur", "paid")
    };
    let own = OwnRecord {
        id: "in_1",
        amount: 100,
        currency: stripes.currency,
        status: "paid",
        created: Some(created - hours(1)),
    };
    assert_eq!(compare([own], [stripes], &rules()).number(), 0);
}

#[test]
fn proptest_makes_more_than_one_invoice() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let most = (0..20)
        .map(|_| {
            invoices()
                .new_tree(&mut runner)
                .expect("a tree")
                .current()
                .len()
        })
        .max();
    assert!(most > Some(20), "{most:?}");
    assert!(noon() < at(NOW));
}
