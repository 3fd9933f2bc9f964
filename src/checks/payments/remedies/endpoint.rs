//! Our own webhook endpoints, as far as events are replayed to them.

use anyhow::{Context, ensure};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use url::Url;

use super::signature::sign;
use crate::{
    checks::{Looking, Secret, payments::read},
    report::{Cause, Unknown},
    upstream::{self, Ask, Body, Credential, Service, Settings, Unwritten, Upstream, Write},
};

/// The signing secret and what it is for.
pub const SECRET: Secret = (
    "STRIPE_WEBHOOK_SECRET",
    "signs the events that are replayed to our own endpoint (whsec_..., or for several endpoints we_1=whsec_... we_2=whsec_...)",
);

const OURS: Service = Service {
    name: "our webhook endpoint",
    credential: SECRET.0,
    reset: upstream::says_nothing,
    should_retry: upstream::says_nothing,
};

/// `[checks.payments.replay]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    pub endpoints: Vec<Target>,
}

/// Where the events of one of Stripe's webhook endpoints can be replayed to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `we_..`.
    pub id: String,
    /// Where our handler takes events; it is asked nowhere else.
    pub url: Url,
}

impl Replay {
    pub(in crate::checks::payments) fn validate(&self) -> anyhow::Result<()> {
        for (place, target) in self.endpoints.iter().enumerate() {
            ensure!(
                target.id.starts_with("we_") && read::is_id(&target.id),
                "`id` is one of Stripe's webhook endpoints, such as `we_1Nv0FGQ9RKHgCVdK`"
            );
            upstream::admit(&target.url).with_context(|| format!("for {}", target.id))?;
            let earlier = &self.endpoints[..place];
            ensure!(
                earlier.iter().all(|other| other.id != target.id),
                "`endpoints` names {} twice",
                target.id
            );
        }
        Ok(())
    }

    /// Of that endpoint; where Stripe doesn't say which one missed it, the only one.
    pub(in crate::checks::payments) fn target(&self, endpoint: Option<&str>) -> Option<&Target> {
        match (endpoint, self.endpoints.as_slice()) {
            (Some(id), all) => all.iter().find(|target| target.id == id),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// Our handler, ready to take events.
pub(super) struct Handler {
    upstream: Upstream,
    secret: SecretString,
    /// Keeps the slash at the address's end.
    path: Vec<&'static str>,
}

impl Handler {
    pub(super) fn of(
        target: &Target,
        settings: &Settings,
        looking: &Looking,
    ) -> Result<Self, Unknown> {
        let secret = secret(&looking.secret(SECRET)?, &target.id)?;
        let upstream = Upstream::new(OURS, &target.url, Credential::None, settings)?;
        let path = if target.url.path().ends_with('/') {
            vec![""]
        } else {
            Vec::new()
        };
        Ok(Self {
            upstream,
            secret,
            path,
        })
    }

    /// Hands over one event, signed as of now.
    pub(super) async fn take(
        &self,
        event: &RawValue,
        looking: &Looking,
        deadline: Instant,
    ) -> Result<(), Unwritten> {
        let body = event.get().as_bytes();
        let signature = sign(&self.secret, body, (looking.clock)());
        let write = Write {
            method: Method::POST,
            ask: Ask {
                path: &self.path,
                query: &[],
                limit: 0,
                needs: "what our handler asks for",
                place: "`url` in [checks.payments.replay], and that STRIPE_WEBHOOK_SECRET is this endpoint's own",
            },
            body: Body::Json(body.to_vec()),
            headers: &[("stripe-signature", &signature)],
        };
        self.upstream.deliver(&write, deadline).await
    }
}

/// The secret of that endpoint: the only one, or the one that is named for it.
fn secret(all: &SecretString, endpoint: &str) -> Result<SecretString, Unknown> {
    let words: Vec<&str> = all.expose_secret().split([' ', ',', '\n']).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let found = match words.as_slice() {
        [only] if only.starts_with("whsec_") => Some(*only),
        many => many.iter().find_map(|word| {
            let (id, secret) = word.split_once('=')?;
            (id == endpoint && secret.starts_with("whsec_")).then_some(secret)
        }),
    };
    found.map(SecretString::from).ok_or_else(|| {
        let reason = format!(
            "STRIPE_WEBHOOK_SECRET holds no signing secret for {endpoint}; set it to the endpoint's own (whsec_..., in Stripe's dashboard at the endpoint), or to {endpoint}=whsec_... where there are several"
        );
        Unknown::new(Cause::NotConfigured, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_is_every_endpoints_and_of_several_each_has_its_own() {
        let of = |all: &str, id: &str| {
            let found = secret(&SecretString::from(all), id);
            found.map(|it| it.expose_secret().to_owned()).ok()
        };
        assert_eq!(of("whsec_a", "we_1").as_deref(), Some("whsec_a"));
        assert_eq!(of("whsec_a\n", "we_1").as_deref(), Some("whsec_a"));
        let both = "we_1=whsec_a, we_2=whsec_b";
        assert_eq!(of(both, "we_2").as_deref(), Some("whsec_b"));
        assert_eq!(of(both, "we_3"), None);
        assert_eq!(of("", "we_1"), None);
        assert_eq!(of("secret", "we_1"), None);
    }

    #[test]
    fn a_wrong_target_is_named() {
        let said = |toml: &str| {
            let replay: Replay = toml::from_str(toml).unwrap();
            replay.validate().map_err(|error| format!("{error:#}"))
        };
        for (toml, named) in [
            (
                "endpoints = [{ id = 'x', url = 'https://a.example' }]",
                "`id`",
            ),
            (
                "endpoints = [{ id = 'we_1', url = 'http://1.1.1.1/' }]",
                "plain http",
            ),
            (
                "endpoints = [{ id = 'we_1', url = 'https://169.254.169.254/' }]",
                "never asked",
            ),
            (
                "endpoints = [{ id = 'we_1', url = 'https://a.example' }, { id = 'we_1', url = 'https://b.example' }]",
                "twice",
            ),
        ] {
            let message = said(toml).unwrap_err();
            assert!(message.contains(named), "{message}");
        }
        assert!(said("endpoints = [{ id = 'we_1', url = 'http://10.0.0.8:8080/hooks' }]").is_ok());
    }
}
