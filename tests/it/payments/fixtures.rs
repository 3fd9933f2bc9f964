//! Stripe's own examples of its objects.

use std::{fs, path::Path};

use daily_ops::checks::payments::{Balance, Dispute, Endpoint, Event, Invoice, Payout};
use serde_json::Value;

/// Of the newest shapes.
const EXAMPLES: &str = include_str!("examples.json");

/// The examples of one kind, and those of other API versions where they are at hand.
fn examples(kind: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../shared/samples/stripe");
    let files = fs::read_dir(folder).into_iter().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    let examples: Vec<Value> = texts
        .chain([EXAMPLES.to_owned()])
        .filter_map(|text| serde_json::from_str::<Value>(&text).ok())
        .map(|file| file["resources"][kind].clone())
        .filter(Value::is_object)
        .collect();
    assert!(!examples.is_empty(), "{kind}");
    examples
}

fn all_are_read<T: std::fmt::Debug>(kind: &str, read: impl Fn(&Value) -> Option<T>) {
    for example in examples(kind) {
        assert!(read(&example).is_some(), "{kind}: {example}");
        each_null_is_let_pass(&example, &read);
    }
}

/// Whatever member is null, the rest is read; but for the id.
fn each_null_is_let_pass<T>(example: &Value, read: &impl Fn(&Value) -> Option<T>) {
    for name in example
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
    {
        let mut spoiled = example.clone();
        spoiled[name] = Value::Null;
        let needed = matches!(name.as_str(), "id" | "object" | "available" | "pending");
        assert!(read(&spoiled).is_some() || needed, "{name} of {example}");
    }
}

#[test]
fn stripes_own_examples_are_read() {
    all_are_read("event", Event::read);
    all_are_read("webhook_endpoint", Endpoint::read);
    all_are_read("invoice", Invoice::read);
    all_are_read("dispute", Dispute::read);
    all_are_read("payout", Payout::read);
    all_are_read("balance", Balance::read);
}
