//! A webhook endpoint as Stripe tells it. Pure.

use serde_json::Value;

use super::read;
use crate::text::Untrusted;

/// Where Stripe delivers events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `we_..`.
    pub id: String,
    pub url: Untrusted,
    /// `enabled`, `disabled`, or a word that is newer than this program; empty if Stripe said none.
    pub status: String,
    /// The types of events that it takes; `*` are all.
    pub enabled_events: Vec<String>,
    /// `acct_..` or `ca_..` of a Connect endpoint, which takes the events of connected accounts.
    pub application: Option<String>,
}

impl Endpoint {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let enabled_events = item["enabled_events"].as_array();
        Some(Self {
            id: read::id(&item["id"])?,
            url: read::line(&item["url"]).unwrap_or_default(),
            status: read::word(&item["status"]).unwrap_or_default(),
            enabled_events: enabled_events
                .into_iter()
                .flatten()
                .filter_map(read::word)
                .collect(),
            application: read::id(&item["application"]),
        })
    }

    pub fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// Whether it takes events of more than one type.
    pub fn takes_several(&self) -> bool {
        self.enabled_events.len() > 1 || self.enabled_events.iter().any(|kind| kind.ends_with('*'))
    }

    /// Whether it takes events of that type.
    pub fn takes(&self, kind: &str) -> bool {
        self.enabled_events.iter().any(|wanted| {
            wanted == "*"
                || wanted == kind
                || wanted.strip_suffix(".*").is_some_and(|family| {
                    kind.strip_prefix(family)
                        .is_some_and(|rest| rest.starts_with('.'))
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_endpoint_takes_what_it_asked_for() {
        let taking = |events: Value| {
            Endpoint::read(&json!({"id": "we_1", "enabled_events": events})).unwrap()
        };
        assert!(taking(json!(["*"])).takes("invoice.paid"));
        assert!(taking(json!(["charge.failed", "invoice.paid"])).takes("invoice.paid"));
        assert!(taking(json!(["invoice.*"])).takes("invoice.paid"));
        assert!(!taking(json!(["invoice.*"])).takes("invoiceitem.created"));
        assert!(!taking(json!(["charge.failed"])).takes("invoice.paid"));
        assert!(!taking(json!(null)).takes("invoice.paid"));
    }
}
