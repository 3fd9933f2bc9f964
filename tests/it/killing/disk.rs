//! The disk fills up while the bot serves, and there is space again: in between nothing is acked that is not kept.

use std::{path::Path, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    judge::judge,
    loops::Life,
    node::Launch,
    options::Options,
    requests::{Request, Wish},
    site::{CONTESTED, Site, channel_id},
};

const FILLS: usize = 8;

/// Requests that are sent until one is not kept, at most.
const UNTIL_FULL: usize = 400;

/// Space beyond what the write-ahead log takes already.
const LEFT: u64 = 40 << 10;

fn note(site: &Site, number: usize) -> Request {
    let user = site.somebody().expect("there are people enough");
    let count = usize::try_from(CONTESTED.end - CONTESTED.start).unwrap_or(1);
    let issue = CONTESTED.start + (number % count) as u64;
    let key = format!("errors:{issue}");
    let text = format!("triage note {key} by {user}");
    let wish = Wish::Certain { key, verb: "note" };
    Request::command(user, wish, &channel_id(0), &text, &site.reply_to())
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

fn keep(site: &Site, request: Request) {
    site.asked.lock().expect("no test panicked").push(request);
}

/// Fills the disk up to a request that is not kept, and gives that.
async fn fill(site: &Site) -> Request {
    let node = &site.nodes[0];
    let folder = site.folder.path();
    let taken = size(&folder.join("ops.db-wal")).max(size(&folder.join("ops.db")));
    node.limit_files(Some(taken + LEFT));
    for number in 0..UNTIL_FULL {
        let mut request = note(site, number);
        if !request.deliver(node.to).await {
            return request;
        }
        keep(site, request);
    }
    panic!("the disk never filled up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acked_while_the_disk_fills_up_is_kept_and_space_is_taken_up_at_once() {
    let life = Life::of(Launch::Unlimited(Options::read(0).binary), 0);
    let mut site = life.begin().await;
    let mut refused = 0;
    for _ in 0..FILLS {
        let mut left_out = vec![fill(&site).await];
        for number in 0..10 {
            let mut request = note(&site, number);
            if request.deliver(site.nodes[0].to).await {
                keep(&site, request);
            } else {
                left_out.push(request);
            }
        }
        refused += left_out.len();
        site.nodes[0].limit_files(None);
        let since = Instant::now();
        for mut request in left_out {
            while !request.deliver(site.nodes[0].to).await {
                assert!(since.elapsed() < Duration::from_secs(1), "{}", site.said());
                sleep(Duration::from_millis(5)).await;
            }
            keep(&site, request);
        }
    }
    assert!(refused >= FILLS, "it was full");
    let found = judge(&mut site, true).await;
    assert!(
        found.wrong.is_empty(),
        "{}\n{}",
        found.wrong.join("\n"),
        site.said()
    );
    site.close().await;
}
