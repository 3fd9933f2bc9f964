//! How long and with what the loops run.

use std::path::PathBuf;

/// Kills of one life of a company; after that many a new one begins.
const OF_ONE_LIFE: usize = 50;

/// What the environment asks for.
pub(super) struct Options {
    pub(super) seed: u64,
    pub(super) kills: usize,
    pub(super) binary: PathBuf,
}

impl Options {
    pub(super) fn read(usual: usize) -> Self {
        let seed = variable("KILLING_SEED").map_or_else(any_seed, |seed| {
            seed.parse().expect("KILLING_SEED is a number")
        });
        Self {
            seed,
            kills: variable("KILLS")
                .map_or(usual, |kills| kills.parse().expect("KILLS is a number")),
            binary: variable("KILLING_BINARY").map_or_else(
                || PathBuf::from(env!("CARGO_BIN_EXE_daily-ops")),
                PathBuf::from,
            ),
        }
    }

    /// The kills of each life, with a seed of its own.
    pub(super) fn lives(&self) -> impl Iterator<Item = (u64, usize)> {
        let (seed, kills) = (self.seed, self.kills);
        (0..kills.div_ceil(OF_ONE_LIFE)).map(move |life| {
            let left = kills - life * OF_ONE_LIFE;
            (seed.wrapping_add(life as u64), left.min(OF_ONE_LIFE))
        })
    }
}

pub(super) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    std::env::var(name).ok()
}

fn any_seed() -> u64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("random bytes");
    u32::from_le_bytes(bytes).into()
}

/// Numbers that follow from a seed (`SplitMix64`).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).unwrap_or(0)]
    }
}
