//! Tests that need something which this machine lacks.

use std::{collections::BTreeSet, io::Write, sync::Mutex};

/// The variable that says where it is. Without it what needs it is left out, loudly; on CI that is a failure.
pub(crate) fn needs(variable: &'static str, what: &str) -> Option<String> {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    let (value, ci) = (
        std::env::var(variable).ok(),
        std::env::var_os("CI").is_some(),
    );
    let value = value.filter(|value| !value.is_empty());
    assert!(value.is_some() || !ci, "CI skips nothing: set {variable}");
    if value.is_none() && SAID.lock().is_ok_and(|mut said| said.insert(variable)) {
        // Past the test runner, which swallows what a passing test prints.
        writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: {what}, because {variable} is not set ***\n"
        )
        .ok();
    }
    value
}

/// As [`needs`], for a program on the path.
pub(crate) fn needs_program(name: &'static str, what: &str) -> Option<()> {
    let runs = std::process::Command::new(name)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    let ci = std::env::var_os("CI").is_some();
    assert!(runs || !ci, "CI skips nothing: install {name}");
    if !runs {
        writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: {what}, because {name} is not installed ***\n"
        )
        .ok();
    }
    runs.then_some(())
}
