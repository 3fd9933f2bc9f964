//! The described Stripe keeps Stripe's own rules.

mod deliveries;
mod faulty;
mod kept;
mod keys;
mod mornings;
mod paging;
mod paying;
mod shapes;

use std::sync::LazyLock;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use crate::world::stripe::{KEY, Stripe, VERSION};

/// A caller that nobody wrote; it keeps no connection, for each test has a runtime of its own.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    #[expect(clippy::disallowed_methods, reason = "a caller that nobody wrote")]
    let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
    client.build().expect("it can be built")
});

/// What an answer said.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Said {
    async fn of(answer: Response) -> Self {
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: serde_json::from_slice(&answer.bytes().await.expect("it is whole"))
                .expect("it is JSON"),
        }
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Of a list.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let rows = self.body["data"].as_array().expect("it is a list").iter();
        rows.filter_map(|row| row["id"].as_str()).collect()
    }
}

pub(crate) fn request(stripe: &Stripe, method: Method, target: &str) -> RequestBuilder {
    let url = format!("http://{}{target}", stripe.address);
    let request = CLIENT.request(method, url).bearer_auth(KEY);
    request.header("stripe-version", VERSION)
}

pub(crate) async fn get(stripe: &Stripe, target: &str) -> Said {
    let answer = request(stripe, Method::GET, target).send().await;
    Said::of(answer.expect("it answers")).await
}

pub(crate) async fn post(stripe: &Stripe, target: &str, key: &str, form: &str) -> Said {
    let asked = request(stripe, Method::POST, target)
        .header("idempotency-key", key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    Said::of(asked.send().await.expect("it answers")).await
}
