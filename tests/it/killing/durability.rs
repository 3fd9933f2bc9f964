//! The order of the system calls: what a request asks is written, then synced, and only then acked.

use crate::world::skipped::needs_program;

use super::{
    loops::Life,
    node::Launch,
    options::Options,
    requests::{Request, Wish},
    site::channel_id,
};

const REQUESTS: usize = 200;

/// What matters of a trace, one request after the other.
#[derive(Default)]
struct Step<'a> {
    written: bool,
    /// Who is about to sync.
    syncing: &'a str,
    synced: bool,
}

/// How many 200s there were to a command, and how many before the log was written and synced.
fn early_acks(trace: &str) -> (usize, usize) {
    let (mut acks, mut early, mut step) = (0, 0, None);
    for line in trace.lines() {
        if line.contains("POST /slack/commands") {
            step = Some(Step::default());
        }
        let Some(now) = &mut step else {
            continue;
        };
        let log = line.contains("ops.db-wal>");
        let process = line.split(' ').next().unwrap_or_default();
        if log && line.contains("pwrite64(") {
            now.written = true;
        } else if log && line.contains("sync(") && now.written && line.contains("<unfinished") {
            now.syncing = process;
        } else if log && line.contains("sync(") && now.written
            || line.contains("sync resumed>") && now.syncing == process
        {
            now.synced = true;
        } else if line.contains("\"HTTP/1.1 200 OK") && line.contains("writev(") {
            acks += 1;
            early += usize::from(!now.synced);
            step = None;
        }
    }
    (acks, early)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_comes_after_the_sync_of_what_it_promises() {
    if needs_program("strace", "the order of write, sync and ack").is_none() {
        return;
    }
    let life = Life::of(Launch::Traced(Options::read(0).binary), 0);
    let mut site = life.begin().await;
    for _ in 0..REQUESTS {
        let user = site.somebody().expect("there are people enough");
        let (reply, channel) = (site.reply_to(), channel_id(0));
        let mut request = Request::command(user, Wish::Look, &channel, "help", &reply);
        assert!(request.deliver(site.nodes[0].to).await, "{}", site.said());
        // What the request before leaves to be done is not to be taken for this one's.
        while !site.tables.open().await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
    let trace = std::fs::read_to_string(site.nodes[0].trace()).expect("strace wrote");
    let (acks, early) = early_acks(&trace);
    assert!(
        acks >= REQUESTS,
        "{acks} acks in\n{}",
        &trace[..trace.len().min(3000)]
    );
    assert_eq!(early, 0, "of {acks}");
    site.kill();
    site.close().await;
}

#[test]
fn an_ack_without_a_sync_would_be_seen() {
    let request = "1 recvfrom(9<socket:[1]>, \"POST /slack/commands HTTP\", 1) = 9\n";
    let write = "1 pwrite64(5</x/ops.db-wal>, \"..\", 4096, 0) = 4096\n";
    let sync = "1 fdatasync(5</x/ops.db-wal>) = 0\n";
    let ack = "1 writev(9<socket:[1]>, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\"}], 1) = 9\n";
    let seen = |calls: &[&str]| early_acks(&calls.concat());
    assert_eq!(seen(&[request, write, sync, ack]), (1, 0));
    assert_eq!(seen(&[request, write, ack, sync]), (1, 1));
    assert_eq!(seen(&[request, sync, ack]), (1, 1));
    let begun = "1 fdatasync(5</x/ops.db-wal> <unfinished ...>\n";
    let ended = "1 <... fdatasync resumed>) = 0\n";
    assert_eq!(seen(&[request, write, begun, ack, ended]), (1, 1));
    assert_eq!(seen(&[request, write, begun, ended, ack]), (1, 0));
}
