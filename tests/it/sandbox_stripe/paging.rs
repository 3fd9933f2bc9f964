//! Lists, filters and what is refused.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{Said, get};
use crate::world::stripe::{Stripe, endpoint, event, invoice, stripe, undelivered};

/// Every page of a list, from the newest.
async fn walk(stripe: &Stripe, target: &str, limit: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().map(|id| format!("&starting_after={id}"));
        let after = after.unwrap_or_default();
        let page: Said = get(stripe, &format!("{target}&limit={limit}{after}")).await;
        assert_eq!(page.status, 200, "{}", page.message());
        assert!(page.ids().len() <= limit);
        all.extend(page.ids().into_iter().map(str::to_owned));
        if page.body["has_more"] != true {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn walking_the_pages_gives_every_event_once_and_newest_first(
        ages in proptest::collection::vec(0..4_000i64, 0..60), limit in 1..12usize, missed in 1..4usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it is built");
        runtime.block_on(async {
            let mut described = stripe().with(endpoint("we_1", "https://acme.example/stripe"));
            for (place, age) in ages.iter().enumerate() {
                let told = event(&format!("evt_{place}"), "invoice.paid").ago(TimeDelta::minutes(*age));
                described.add(if place % missed == 0 { told.missed_by("we_1") } else { told });
            }
            let stripe = described.open().await.expect("it opens");
            let all = walk(&stripe, "/v1/events?", limit).await;
            let mut places: Vec<usize> = (0..ages.len()).collect();
            // Newest first; of the same second, the one that was told last.
            places.sort_by_key(|place| (ages[*place], std::cmp::Reverse(*place)));
            let expected: Vec<String> = places.iter().map(|place| format!("evt_{place}")).collect();
            assert_eq!(all, expected);
            let failed = walk(&stripe, "/v1/events?delivery_success=false", limit).await;
            let is_failed = |place: &&usize| place.is_multiple_of(missed) || ages[**place] == 0;
            let expected: Vec<String> = places.iter().filter(is_failed).map(|place| format!("evt_{place}")).collect();
            assert_eq!(failed, expected);
        });
    }
}

#[tokio::test]
async fn a_thousand_undelivered_events_are_ten_pages() {
    let described = stripe()
        .with(endpoint("we_1", "https://acme.example/stripe"))
        .with_all(undelivered(1_000, "invoice.paid", "we_1"));
    let stripe = described.open().await.expect("it opens");
    let all = walk(&stripe, "/v1/events?delivery_success=false", 100).await;
    assert_eq!(all.len(), 1_000);
    assert_eq!(stripe.world().ledger.requests.len(), 10);
    let none = get(&stripe, "/v1/events?delivery_success=true").await;
    assert_eq!(none.ids(), Vec::<&str>::new());
}

#[tokio::test]
async fn events_of_more_than_thirty_days_ago_are_gone() {
    let old = event("evt_old", "invoice.paid").ago(TimeDelta::days(31));
    let stripe = stripe().with(old).open().await.expect("it opens");
    assert_eq!(get(&stripe, "/v1/events").await.ids(), Vec::<&str>::new());
    let gone = get(&stripe, "/v1/events/evt_old").await;
    assert_eq!(
        (gone.status, gone.message()),
        (404, "No such event: 'evt_old'")
    );
}

#[tokio::test]
async fn what_a_caller_may_not_ask_is_refused_in_stripes_words() {
    let stripe = stripe()
        .with(invoice("in_1"))
        .open()
        .await
        .expect("it opens");
    for (target, status, said) in [
        ("/v1/events?nope=1", 400, "Received unknown parameter: nope"),
        (
            "/v1/events?type=a&types[]=b",
            400,
            "You may only specify one of these parameters: type, types.",
        ),
        (
            "/v1/events?delivery_success=maybe",
            400,
            "Invalid boolean: maybe",
        ),
        (
            "/v1/events?limit=101",
            400,
            "This value must be less than or equal to 100 (it currently is '101').",
        ),
        (
            "/v1/events?limit=0",
            400,
            "This value must be greater than or equal to 1.",
        ),
        (
            "/v1/events?starting_after=evt_x",
            400,
            "No such event: 'evt_x'",
        ),
        (
            "/v1/events?created[gte]=yesterday",
            400,
            "Invalid integer: yesterday",
        ),
        (
            "/v1/events?created[since]=1",
            400,
            "Received unknown parameter: created[since]",
        ),
        (
            "/v1/invoices?status=weird",
            400,
            "Invalid status: must be one of draft, open, paid, uncollectible, or void",
        ),
        ("/v1/invoices/in_2", 404, "No such invoice: 'in_2'"),
        (
            "/v1/invoices/in_1?expand[]=nope",
            400,
            "This property cannot be expanded (nope).",
        ),
    ] {
        let refused = get(&stripe, target).await;
        assert_eq!(
            (refused.status, refused.message()),
            (status, said),
            "{target}"
        );
    }
    let unknown = get(&stripe, "/v1/nothing").await;
    assert!(
        unknown
            .message()
            .starts_with("Unrecognized request URL (GET: /v1/nothing).")
    );
    assert_eq!(unknown.status, 404);
}
