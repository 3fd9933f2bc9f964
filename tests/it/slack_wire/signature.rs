//! Whether a request is Slack's.

use chrono::DateTime;
use daily_ops::slack::signature::{Forged, verify};
use proptest::prelude::*;
use serde::Deserialize;

use crate::world::slack::driver::sign;

#[derive(Deserialize)]
struct Vector {
    signing_secret: String,
    timestamp: String,
    body: String,
    signature: String,
}

impl Vector {
    fn published() -> Vec<Self> {
        serde_json::from_str(include_str!(
            "../world/slack/samples/signature-vectors.json"
        ))
        .unwrap()
    }

    fn verify(&self, timestamp: &[u8], signature: &[u8], body: &[u8]) -> Result<(), Forged> {
        let now = DateTime::from_timestamp(self.timestamp.parse().unwrap(), 0).unwrap();
        let secrets = [self.signing_secret.as_str().into()];
        verify(&secrets, timestamp, signature, body, now)
    }
}

fn flips(bytes: &str) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.as_bytes().to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn the_published_signatures_are_right_and_none_that_differs_by_a_bit() {
    for vector in Vector::published() {
        let (at, code, body) = (&vector.timestamp, &vector.signature, &vector.body);
        let right = vector.verify(at.as_bytes(), code.as_bytes(), body.as_bytes());
        assert_eq!(right, Ok(()));
        for wrong in flips(at) {
            assert!(
                vector
                    .verify(&wrong, code.as_bytes(), body.as_bytes())
                    .is_err()
            );
        }
        for wrong in flips(code) {
            assert!(
                vector
                    .verify(at.as_bytes(), &wrong, body.as_bytes())
                    .is_err()
            );
        }
        for wrong in flips(body) {
            let told = vector.verify(at.as_bytes(), code.as_bytes(), &wrong);
            assert_eq!(told, Err(Forged::Mismatch));
        }
    }
}

#[test]
fn a_timestamp_is_digits_alone() {
    let huge = "1".to_owned() + &"0".repeat(30);
    for timestamp in [
        "",
        "+5",
        "-5",
        " 5",
        "5 ",
        "1.5",
        "５",
        "0x5",
        "9223372036854775808",
        &huge,
    ] {
        let now = DateTime::from_timestamp(5, 0).unwrap();
        let code = sign("s", timestamp, b"x");
        let told = verify(
            &["s".into()],
            timestamp.as_bytes(),
            code.as_bytes(),
            b"x",
            now,
        );
        assert_eq!(told, Err(Forged::Timestamp), "{timestamp}");
    }
}

#[test]
fn an_empty_secret_and_none_at_all_let_nobody_in() {
    let now = DateTime::from_timestamp(5, 0).unwrap();
    let code = sign("", "5", b"x");
    for secrets in [vec![], vec!["".into()]] {
        let told = verify(&secrets, b"5", code.as_bytes(), b"x", now);
        assert_eq!(told, Err(Forged::Mismatch));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_pass(at in any::<Vec<u8>>(), code in any::<Vec<u8>>(), body in any::<Vec<u8>>()) {
        let now = DateTime::from_timestamp(5, 0).unwrap();
        prop_assert!(verify(&["s".into()], &at, &code, &body, now).is_err());
        let told = verify(&["s".into()], b"5", &code, &body, now);
        prop_assert!(told.is_err());
    }

    #[test]
    fn what_is_signed_passes(secret in "[ -~]{1,80}", body in any::<Vec<u8>>(), at in 0_i64..4_000_000_000, off in -300_i64..=300) {
        let now = DateTime::from_timestamp(at + off, 0).unwrap();
        let timestamp = at.to_string();
        let code = sign(&secret, &timestamp, &body);
        prop_assert_eq!(verify(&[secret.into()], timestamp.as_bytes(), code.as_bytes(), &body, now), Ok(()));
    }
}
