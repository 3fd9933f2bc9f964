//! Events are told again until they are acked: at once, after a minute, after five.

use std::time::Duration;

use tokio::time::sleep;

use super::{Packet, Retry, Shared, Why};

/// Before each attempt, by the machine's own time.
const WAITS: [Duration; 4] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
];

/// Tells the app of an event, for some six minutes at most.
pub(in super::super) async fn tell(shared: Shared, packet: Packet) {
    let mut retry = None;
    for (number, wait) in (1..).zip(WAITS) {
        sleep(wait).await;
        let by_socket = shared.wire.sockets.are_open();
        match shared.send(&packet, retry).await {
            Ok(_) | Err(Why::Status { no_retry: true }) => return,
            Err(why) => {
                retry = Some(Retry {
                    number,
                    reason: why.reason(by_socket),
                });
            }
        }
    }
}
