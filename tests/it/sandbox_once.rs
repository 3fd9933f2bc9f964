//! What a first look needs: the binary, and nothing else of the machine.

use std::process::Command;

use crate::world::company::stdout;

fn sandbox(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daily-ops"));
    command
        .env_clear()
        .arg("sandbox")
        .args(words.split_whitespace());
    command
}

#[test]
fn a_machine_without_certificates_and_without_a_home_can_try_it() {
    let mut bare = sandbox("--once broken-cart");
    bare.env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent");
    let output = bare.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stdout(&output);
    assert!(
        said.contains("TypeError: cart is undefined") && !said.contains("unknown"),
        "{said}"
    );
    assert_eq!(output.stderr, b"", "{output:?}");
}

#[test]
fn what_goes_with_one_report_does_not_go_with_a_page() {
    for words in [
        "--once quiet --keep here",
        "--once quiet --port 4000",
        "--format json",
        "--all",
        "--api-port 4000",
    ] {
        let output = sandbox(words).output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{words}: {output:?}");
    }
}

#[test]
fn an_address_that_the_local_slack_can_not_reach_is_refused_at_once() {
    let words = "--slack-only --request-url https://example.com/slack";
    let output = sandbox(words).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("plain HTTP"), "{said}");
}
