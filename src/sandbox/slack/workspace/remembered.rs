//! How much of the past is remembered: a load test may go on for hours.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Call, View};

/// Calls, answers, and ids that may still be used.
pub(in super::super) const MOST: usize = 10_000;
/// Answering addresses live for half an hour.
pub(in super::super) const ADDRESSES: usize = 100_000;
/// Views, and states of one.
const VIEWS: usize = 1000;
const STATES: usize = 20;
/// Files, whose content is kept.
pub(in super::super) const FILES: usize = 200;

/// Puts it at the end, and drops the oldest beyond so many.
pub(in super::super) fn push<T>(all: &mut VecDeque<T>, it: T, most: usize) {
    while all.len() >= most {
        all.pop_front();
    }
    all.push_back(it);
}

/// The same by ids that grow.
pub(in super::super) fn insert<T>(all: &mut BTreeMap<String, T>, id: String, it: T, most: usize) {
    while all.len() >= most {
        all.pop_first();
    }
    all.insert(id, it);
}

pub(in super::super) fn insert_id(all: &mut BTreeSet<String>, id: String) {
    while all.len() >= MOST {
        all.pop_first();
    }
    all.insert(id);
}

/// What was closed goes before what is open.
pub(in super::super) fn push_view(all: &mut Vec<View>, view: View) {
    if all.len() >= VIEWS {
        all.remove(all.iter().position(|view| !view.is_open).unwrap_or(0));
    }
    all.push(view);
}

impl View {
    /// Its next state.
    pub(in super::super) fn push(&mut self, state: serde_json::Value) {
        if self.versions.len() >= STATES {
            self.versions.remove(0);
        }
        self.versions.push(state);
    }
}

impl super::Workspace {
    /// Writes a call down.
    pub(in super::super) fn note(&mut self, call: Call) {
        push(&mut self.calls, call, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_what_is_open_stays() {
        let mut all = VecDeque::new();
        let mut by_id = BTreeMap::new();
        for number in 10..20 {
            push(&mut all, number, 3);
            insert(&mut by_id, number.to_string(), number, 3);
        }
        assert_eq!(all, [17, 18, 19]);
        assert_eq!(by_id.into_values().collect::<Vec<_>>(), [17, 18, 19]);

        let view = |number: usize| View {
            id: number.to_string(),
            user: String::new(),
            is_open: number == 0,
            previous: None,
            hash: String::new(),
            versions: Vec::new(),
        };
        let mut views = Vec::new();
        for number in 0..=VIEWS {
            push_view(&mut views, view(number));
        }
        assert_eq!(views.len(), VIEWS);
        assert_eq!((&*views[0].id, &*views[1].id), ("0", "2"));
    }
}
