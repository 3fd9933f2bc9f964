//! How a token is sent, and to nobody who prints headers.

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// How a token is sent in `Authorization`.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    None,
    Bearer(&'a SecretString),
    /// As it is.
    Plain(&'a SecretString),
    Basic {
        user: &'a str,
        password: &'a SecretString,
    },
}

pub(super) fn authorization(
    credential: Credential<'_>,
) -> Result<Option<HeaderValue>, reqwest::header::InvalidHeaderValue> {
    let text = match credential {
        Credential::None => return Ok(None),
        Credential::Bearer(token) => format!("Bearer {}", token.expose_secret()),
        Credential::Plain(token) => token.expose_secret().to_owned(),
        Credential::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose_secret());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
    };
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(Some(value))
}
