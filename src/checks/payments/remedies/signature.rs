//! `Stripe-Signature`, version 1, as Stripe makes it (docs.stripe.com/webhooks#verify-manually). Pure.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// `t=` and `v1=`: the HMAC-SHA256 of `{seconds}.{body}`. Receivers take it for five minutes.
pub(super) fn sign(secret: &SecretString, body: &[u8], at: DateTime<Utc>) -> String {
    let seconds = at.timestamp();
    let secret = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!(
        "t={seconds},v1={}",
        hex::encode(mac.finalize().into_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_signature_that_openssl_makes() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let signed = sign(&SecretString::from("whsec_test"), br#"{"id":"evt_1"}"#, at);
        assert_eq!(
            signed,
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
        );
    }
}
