//! What of the endpoints could not be judged, so that nobody takes a finding for gone that was not looked for. Pure.

use super::{
    CERTIFICATE, Endpoint, LATENCY, Redirects,
    judge::{self, Judgement, Trouble},
    seen::Seen,
};
use crate::report::{Cause, Finding, FindingKey};

/// The keys of what could not be judged; none if the whole look is in doubt.
pub(super) fn unseen(
    judged: &[(&Endpoint, &Seen, Judgement<'_>)],
    own_network: Option<&Finding>,
) -> Option<Vec<FindingKey>> {
    let is_met = |seen: &Seen| {
        let mut attempts = seen.attempts().iter();
        attempts.any(|attempt| !judge::is_network_failure(attempt))
    };
    let all_judged = judged.iter().all(|(.., judgement)| is_known(judgement));
    let nothing_met = !judged.iter().any(|(_, seen, _)| is_met(seen));
    let no_roots = judged.iter().any(|(.., judgement)| {
        matches!(judgement, Judgement::CouldNot(why) if matches!(why.cause, Cause::NotConfigured | Cause::Tls))
    });
    if own_network.is_some() || no_roots || (nothing_met && !all_judged) {
        return None;
    }
    Some(judged.iter().flat_map(of).collect())
}

fn is_known(judgement: &Judgement<'_>) -> bool {
    matches!(judgement, Judgement::Good | Judgement::Bad { .. })
}

fn of((endpoint, seen, judgement): &(&Endpoint, &Seen, Judgement<'_>)) -> Vec<FindingKey> {
    if !is_known(judgement) {
        return vec![endpoint.key("")];
    }
    let mut keys = Vec::new();
    if endpoint.within.is_some() && !is_timed(judgement) {
        keys.push(endpoint.key(LATENCY));
    }
    if may_have_certificate(endpoint, seen) {
        keys.push(endpoint.key(CERTIFICATE));
    }
    keys
}

/// Whether it was found to be quick, or to be slow.
fn is_timed(judgement: &Judgement<'_>) -> bool {
    match judgement {
        Judgement::Bad { worst, .. } => matches!(worst, Trouble::Slow { .. }),
        _ => true,
    }
}

/// Whether there may be a certificate that was not shown.
fn may_have_certificate(endpoint: &Endpoint, seen: &Seen) -> bool {
    let mut answers = seen
        .attempts()
        .iter()
        .filter_map(|a| a.result.as_ref().ok());
    match endpoint.url.scheme() {
        "https" => !answers.any(|answer| answer.expires.is_some()),
        // Plain http shows one only behind a redirect.
        _ => endpoint.redirects == Redirects::Follow && answers.next().is_none(),
    }
}
