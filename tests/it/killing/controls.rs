//! Servers and upstreams that break the promise. A harness that does not see it would prove nothing.

use super::{
    judge::{Findings, judge},
    loops::Life,
    node::Launch,
    options::Options,
    upstream::Faults,
};

impl Life {
    pub(super) fn of(launch: Launch, kills: usize) -> Self {
        Self {
            launch,
            server: None,
            seed: Options::read(0).seed,
            kills,
            slack: Faults::default(),
            sentry: Faults::default(),
            calm: Faults::default(),
            dealings: None,
            postgres: None,
            pause: (300, 900),
        }
    }

    async fn is_judged(&self) -> Findings {
        let mut site = self.begin().await;
        self.go_on(&mut site).await;
        let found = judge(&mut site, true).await;
        assert!(found.acked > 20, "it was used: {found:?}\n{}", site.said());
        site.close().await;
        found
    }
}

fn assert_seen(found: &Findings, what: &str) {
    assert!(
        found.wrong.iter().any(|wrong| wrong.contains(what)),
        "nobody saw `{what}` in\n{}",
        found.wrong.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_before_the_commit_is_seen() {
    let life = Life::of(Launch::Role("ack-first"), 10);
    let found = life.is_judged().await;
    assert_seen(&found, "lost: Request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_is_not_looked_for_is_seen() {
    let blind = Faults {
        hides_history: true,
        ..Faults::default()
    };
    let life = || Life {
        slack: Faults { lost: 300, ..blind },
        calm: blind,
        ..Life::of(Launch::Binary(Options::read(0).binary), 4)
    };
    // A life has few posts, and chance may lose the answer of none.
    for _ in 0..6 {
        let found = life().is_judged().await;
        let is_seen = |what| found.wrong.iter().any(|wrong| wrong.contains(what));
        if is_seen("was posted 2 times") && is_seen("stands in Slack as") {
            return;
        }
    }
    panic!("nobody saw that a message was posted twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_too_short_is_seen() {
    let life = || Life {
        slack: Faults {
            only: "chat.postMessage",
            late: 1000,
            delay: std::time::Duration::from_millis(1500),
            ..Faults::default()
        },
        pause: (2500, 3500),
        ..Life::of(Launch::Role("short-lease"), 3)
    };
    // One of the two who write has to be idle at the right moment, which chance does not bring about every time.
    for _ in 0..6 {
        let found = life().is_judged().await;
        if found.wrong.iter().any(|wrong| wrong.contains("was posted")) {
            return;
        }
    }
    panic!("nobody saw that a message was posted twice");
}

/// Lives until that is seen: a life has few orders, and chance may lose the answer of none.
async fn is_seen_in_a_life_with(faults: Faults, what: &str) {
    for seed in 0..6 {
        let found = Life {
            seed,
            dealings: Some(faults),
            ..Life::of(Launch::Binary(Options::read(0).binary), 4)
        };
        let found = found.is_judged().await;
        if found.wrong.iter().any(|wrong| wrong.contains(what)) {
            return;
        }
    }
    panic!("nobody saw `{what}`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_that_is_not_looked_for_is_seen() {
    let faults = Faults {
        lost: 800,
        only: "POST /repos/acme/web/issues",
        hides_history: true,
        ..Faults::default()
    };
    is_seen_in_a_life_with(faults, "has 2 issues").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_with_another_key_each_time_is_seen() {
    let faults = Faults {
        lost: 800,
        only: "POST /v1/invoices/",
        hides_history: true,
        forgets_keys: true,
        ..Faults::default()
    };
    is_seen_in_a_life_with(faults, " for 1 yes").await;
}
