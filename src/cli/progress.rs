//! A bar per check on standard error, while it runs. Nothing at all unless that is a terminal.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{
    checks::Progress,
    report::{CheckReport, Outcome},
};

/// How often the bars are drawn anew.
const TICK: Duration = Duration::from_millis(100);

pub(super) struct Bars {
    bars: BTreeMap<&'static str, ProgressBar>,
    drawing: Option<tokio::task::JoinHandle<()>>,
}

impl Bars {
    /// One bar for each check that is about to run.
    pub(super) fn start(progress: &BTreeMap<&'static str, Progress>, wanted: bool) -> Self {
        if !wanted || !stderr().is_terminal() {
            return Self {
                bars: BTreeMap::new(),
                drawing: None,
            };
        }
        let screen = MultiProgress::new();
        let bars: BTreeMap<_, _> = progress
            .keys()
            .map(|name| {
                let bar = screen.add(
                    ProgressBar::no_length()
                        .with_style(style("  {spinner} {prefix:<12} {elapsed:>4} {msg}")),
                );
                bar.set_prefix(*name);
                bar.enable_steady_tick(TICK);
                (*name, bar)
            })
            .collect();
        let watched: Vec<_> = progress
            .iter()
            .map(|(name, progress)| (bars[name].clone(), progress.clone()))
            .collect();
        let drawing = tokio::spawn(async move {
            let mut tick = tokio::time::interval(TICK);
            loop {
                tick.tick().await;
                watched
                    .iter()
                    .filter(|(bar, _)| !bar.is_finished())
                    .for_each(|(bar, progress)| draw(bar, progress));
            }
        });
        Self {
            bars,
            drawing: Some(drawing),
        }
    }

    /// Ends the check's bar with the word for its outcome.
    pub(super) fn finish(&self, report: &CheckReport) {
        let Some(bar) = self.bars.get(report.name.as_str()) else {
            return;
        };
        let word = match &report.outcome {
            Outcome::Unknown(_) => "unknown".to_owned(),
            Outcome::Looked | Outcome::Off => crate::text::count(report.findings.len(), "finding"),
        };
        bar.finish_with_message(word);
    }

    /// Takes the bars away.
    pub(super) fn clear(self) {
        if let Some(drawing) = self.drawing {
            drawing.abort();
        }
        self.bars.values().for_each(ProgressBar::finish_and_clear);
    }
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let (done, expected) = progress.get();
    if expected > 0 && bar.length().is_none() {
        bar.set_style(style(
            "  {spinner} {prefix:<12} {elapsed:>4} {bar:24} {human_pos}/{human_len}",
        ));
    }
    if expected > 0 {
        bar.set_length(expected);
        bar.set_position(done);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("━╸─")
}
