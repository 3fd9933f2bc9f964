//! Whether a request comes from Slack: its signature v0. Pure.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Seconds by which the request's time may differ from ours, as Slack advises.
const TOLERANCE: u64 = 300;

/// Why a request is not taken for Slack's. None of it helps to forge one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("it has no X-Slack-Request-Timestamp, or more than one")]
    NoTimestamp,
    #[error("it has no X-Slack-Signature, or more than one")]
    NoSignature,
    #[error("its timestamp is no number of seconds")]
    Timestamp,
    #[error("its timestamp is more than {TOLERANCE} s away: is this machine's clock right?")]
    Stale,
    #[error("its signature is none of version v0")]
    Version,
    #[error("its signature is not made with our signing secret")]
    Mismatch,
}

/// Checks `v0=` and the hexadecimal HMAC-SHA256 of `v0:{timestamp}:{body}` against each of the secrets.
pub fn verify(
    secrets: &[SecretString],
    timestamp: &[u8],
    signature: &[u8],
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Forged> {
    let given = look(timestamp, signature, now)?;
    secrets
        .iter()
        .any(|secret| is_made_with(secret, timestamp, body, &given))
        .then_some(())
        .ok_or(Forged::Mismatch)
}

/// What can be told without the body. Gives the code that is to be checked.
fn look(timestamp: &[u8], signature: &[u8], now: DateTime<Utc>) -> Result<[u8; 32], Forged> {
    let at = seconds(timestamp).ok_or(Forged::Timestamp)?;
    if at.abs_diff(now.timestamp()) > TOLERANCE {
        return Err(Forged::Stale);
    }
    code(signature).ok_or(Forged::Version)
}

/// Refuses what no body could make right.
pub fn could_be_right(
    timestamp: &[u8],
    signature: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Forged> {
    look(timestamp, signature, now).map(drop)
}

/// Digits alone: no sign, no other alphabet's, and no more than hold for ages.
fn seconds(timestamp: &[u8]) -> Option<i64> {
    let are_digits =
        (1..=12).contains(&timestamp.len()) && timestamp.iter().all(u8::is_ascii_digit);
    are_digits.then(|| {
        timestamp
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    })
}

/// The code's bytes; only as Slack writes it, so that no two signatures stand for one.
fn code(signature: &[u8]) -> Option<[u8; 32]> {
    let digits = signature.strip_prefix(b"v0=")?;
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut code = [0; 32];
    hex::decode_to_slice(digits, &mut code).ok()?;
    Some(code)
}

fn is_made_with(secret: &SecretString, timestamp: &[u8], body: &[u8], given: &[u8]) -> bool {
    let secret = secret.expose_secret().as_bytes();
    // Anybody can sign with an empty one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    for part in [b"v0:", timestamp, b":", body] {
        mac.update(part);
    }
    !secret.is_empty() && mac.verify_slice(given).is_ok()
}
