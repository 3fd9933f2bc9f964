//! The quiet morning, and what happens to more than one part at a time.

use super::Scenario;

pub(super) const QUIET: Scenario = Scenario {
    name: "quiet",
    title: "Monday morning, all quiet",
    story: "Everything answers, and every error is triaged.",
    change: |_| Ok(()),
};

pub(super) const OF_MORE_THAN_ONE_PART: [Scenario; 1] = [
    Scenario {
        name: "no-network",
        title: "Our own network is gone",
        story: "Nothing can be reached from here, so nobody knows how anything is.",
        change: |world| world.switch("network", "gone"),
    },
];
