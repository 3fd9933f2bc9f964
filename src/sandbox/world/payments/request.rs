//! A request as the description sees it: its parameters and the headers that matter.

use axum::http::{HeaderMap, Method, Uri, header};
use chrono::{DateTime, Utc};

use super::refusal::Refusal;

/// One request of the ledger.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Of the query and the body, as they were sent: `("created[gte]", "1790000000")`.
    pub params: Vec<(String, String)>,
    pub key: Option<String>,
    pub idempotency_key: Option<String>,
    /// `Stripe-Version`.
    pub version: Option<String>,
    /// `Stripe-Account`.
    pub account: Option<String>,
    pub at: DateTime<Utc>,
    /// What was answered; None: nothing, or not yet.
    pub status: Option<u16>,
}

impl Request {
    pub(super) fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        at: DateTime<Utc>,
    ) -> Self {
        let said = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let pairs = |text: &[u8]| -> Vec<(String, String)> {
            url::form_urlencoded::parse(text).into_owned().collect()
        };
        let mut params = pairs(uri.query().unwrap_or_default().as_bytes());
        params.extend(pairs(body));
        let key = said(header::AUTHORIZATION.as_str());
        Self {
            method: method.to_string(),
            path: uri.path().to_owned(),
            params,
            key: key.and_then(|key| key.strip_prefix("Bearer ").map(str::to_owned)),
            idempotency_key: said("idempotency-key"),
            version: said("stripe-version"),
            account: said("stripe-account"),
            at,
            status: None,
        }
    }

    /// `GET /v1/events?limit=100`.
    pub fn line(&self) -> String {
        let mut params = url::form_urlencoded::Serializer::new(String::new());
        params.extend_pairs(&self.params);
        let params = params.finish();
        let mark = if params.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{params}", self.method, self.path)
    }

    /// Its last value under exactly this name.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut sent = self.params.iter().rev();
        let found = sent.find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// `expand[]` and `expand[0]` alike.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let is_of = |other: &str| {
            let rest = other.strip_prefix(name).and_then(|it| it.strip_prefix('['));
            let place = rest.and_then(|it| it.strip_suffix(']'));
            place.is_some_and(|it| it.chars().all(|c| c.is_ascii_digit()))
        };
        let sent = self.params.iter().filter(|(other, _)| is_of(other));
        sent.map(|(_, value)| value.as_str()).collect()
    }

    /// Refuses whatever is not one of these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (name, _) in &self.params {
            let base = name.split('[').next().unwrap_or(name);
            let inner = name[base.len()..].trim_matches(['[', ']']);
            let is_range = matches!(base, "created" | "due_date" | "arrival_date");
            let is_inner_known = match base {
                "types" | "expand" => name.contains('['),
                _ if is_range => matches!(inner, "" | "gt" | "gte" | "lt" | "lte"),
                _ => inner.is_empty(),
            };
            if !known.contains(&base) || !is_inner_known {
                return Err(Refusal::unknown_param(name));
            }
        }
        Ok(())
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.param(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                Err(Refusal::invalid(&format!("Invalid boolean: {other}")).of_param(name))
            }
        }
    }

    /// One of these values, or none.
    pub(super) fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<&str>, Refusal> {
        let Some(value) = self.param(name) else {
            return Ok(None);
        };
        if known.contains(&value) {
            return Ok(Some(value));
        }
        let (last, others) = known.split_last().unwrap_or((&"", &[]));
        let message = format!(
            "Invalid {name}: must be one of {}, or {last}",
            others.join(", ")
        );
        Err(Refusal::invalid(&message).of_param(name))
    }

    /// Whether a time is within `name`, exact or between its bounds.
    pub(super) fn range(&self, name: &str) -> Result<Range, Refusal> {
        let bound = |inner: &str| {
            let name = format!("{name}{inner}");
            let Some(value) = self.param(&name) else {
                return Ok(None);
            };
            let refusal = || Refusal::invalid(&format!("Invalid integer: {value}")).of_param(&name);
            value.parse::<i64>().map(Some).map_err(|_| refusal())
        };
        let (exact, gt, gte) = (bound("")?, bound("[gt]")?, bound("[gte]")?);
        let (lt, lte) = (bound("[lt]")?, bound("[lte]")?);
        let from = [exact, gt.map(|it| it.saturating_add(1)), gte];
        let to = [exact, lt.map(|it| it.saturating_sub(1)), lte];
        Ok(Range {
            from: from.into_iter().flatten().max(),
            to: to.into_iter().flatten().min(),
        })
    }
}

/// Seconds since the epoch, both included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

impl Range {
    pub(super) fn has(self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp();
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at <= to)
    }

    /// As [`Range::has`]; what has no such time is in no bounds.
    pub(super) fn has_some(self, at: Option<DateTime<Utc>>) -> bool {
        let is_all = self.from.is_none() && self.to.is_none();
        is_all || at.is_some_and(|at| self.has(at))
    }
}
