//! One request on the wire, and its answer as it comes in.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::{Answer, Ask, Body, Failure, Upstream, measured::Measured, pace, refusal};

impl Upstream {
    pub(super) async fn attempt(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: Option<&Body>,
        headers: &[(&'static str, &str)],
        deadline: Instant,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let answer = async {
            let Exchanged {
                response,
                received_at,
                failure,
                limit,
            } = self.exchange(&method, ask, body, headers, deadline).await?;
            let headers = response.headers().clone();
            if response.status() == StatusCode::NO_CONTENT {
                return Ok(Answer {
                    body: b"null".to_vec(),
                    headers,
                    received_at,
                });
            }
            refusal::json_only(&failure, &headers)?;
            let body = read(response, ask.limit)
                .await
                .map_err(|error| match error {
                    Unread::TooLong => failure.clone().too_long(ask.limit),
                    Unread::Broken(error) => failure.clone().broken_off(&error, limit),
                })?;
            Ok(Answer {
                body,
                headers,
                received_at,
            })
        };
        self.passed(&method, ask, deadline, answer).await
    }

    /// Waits at the gate, and counts what comes of it.
    pub(super) async fn passed<T>(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        deadline: Instant,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let _place = match &self.gate {
            None => None,
            Some(gate) => match gate.pass(deadline).await {
                None => {
                    let failure = Failure::of(&self.service, method, &self.address(ask));
                    return Err(failure.out_of_time());
                }
                place => place,
            },
        };
        let measured = Measured::begin(self.service.name, method);
        let answer = attempt.await;
        if let Err(failure) = &answer {
            measured.failed(failure.cause);
        }
        answer
    }

    pub(super) async fn exchange(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        body: Option<&Body>,
        headers: &[(&'static str, &str)],
        deadline: Instant,
    ) -> Result<Exchanged, Failure> {
        let url = self.address(ask);
        let failure = Failure::of(&self.service, method, &url);
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failure.out_of_time());
        }
        let limit = left.min(self.settings.request);
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(ACCEPT, "application/json")
            .timeout(limit);
        request = request.headers(self.headers.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match body {
            None => request,
            Some(Body::Json(bytes)) => request
                .header(CONTENT_TYPE, "application/json")
                .body(bytes.clone()),
            Some(Body::Form(form)) => request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
        };
        let response = request
            .send()
            .await
            .map_err(|error| failure.clone().transport(&error, limit))?;
        let (status, headers) = (response.status(), response.headers().clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the time of an answer is read where it arrives"
        )]
        let received_at = Utc::now();
        if !status.is_success() {
            let body = read(response, refusal::DETAIL_LIMIT)
                .await
                .unwrap_or_default();
            let asked = pace::asked(&headers, self.service.reset, received_at);
            let mut failure = failure.named(&headers).answered(
                &self.service,
                ask,
                status,
                &headers,
                &body,
                asked,
            );
            failure.should_retry = (self.service.should_retry)(&headers);
            return Err(failure);
        }
        let failure = failure.named(&headers);
        Ok(Exchanged {
            response,
            received_at,
            failure,
            limit,
        })
    }

    pub(super) fn decode<T: DeserializeOwned>(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        answer: Answer<Vec<u8>>,
    ) -> Result<Answer<T>, Failure> {
        let headers = answer.headers.clone();
        answer.map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| {
                Failure::of(&self.service, method, &self.address(ask))
                    .named(&headers)
                    .garbled(&error)
            })
        })
    }

    /// The address that a request goes to.
    fn address(&self, ask: &Ask<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        url
    }
}

/// An answer of success that is still to be read.
pub(super) struct Exchanged {
    response: reqwest::Response,
    received_at: DateTime<Utc>,
    /// What it would fail with.
    failure: Failure,
    limit: Duration,
}

enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

/// Reads a body as it streams in, and stops at the limit.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
