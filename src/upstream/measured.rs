//! How long calls take.

use reqwest::Method;
use tokio::time::Instant;

use crate::report::Cause;

/// A call under way; measured when it ends, however it ends.
pub(super) struct Measured {
    service: &'static str,
    method: Method,
    begun: Instant,
}

impl Measured {
    pub(super) fn begin(service: &'static str, method: &Method) -> Self {
        Self {
            service,
            method: method.clone(),
            begun: Instant::now(),
        }
    }

    pub(super) fn failed(&self, cause: Cause) {
        let service = self.service.to_ascii_lowercase();
        let class = cause.as_str().replace(' ', "_");
        metrics::counter!("daily_ops_upstream_errors_total", "service" => service, "class" => class)
            .increment(1);
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let service = self.service.to_ascii_lowercase();
        let method = self.method.to_string();
        metrics::histogram!("daily_ops_upstream_request_seconds", "service" => service, "method" => method)
            .record(self.begun.elapsed());
    }
}
