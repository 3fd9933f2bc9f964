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
