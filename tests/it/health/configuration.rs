//! What `[checks.health]` refuses.

use daily_ops::checks::{Check, health::Health};
use insta::assert_snapshot;

#[test]
fn a_section_that_can_not_be_right_is_refused_with_the_place() {
    let refusal = |settings: &str, endpoint: &str| {
        let section = format!(
            "{settings}\nendpoints = [{{ name = \"api\", environment = \"staging\", {endpoint} }}]"
        );
        match toml::from_str::<Health>(&section) {
            Ok(health) => format!("{:#}", health.validate().unwrap_err()),
            Err(error) => error.message().to_owned(),
        }
    };
    let good = "url = \"https://a.example/\"";
    let told = [
        refusal("timeout = \"5ms\"", good),
        refusal("confirm_after = \"2m\"", good),
        refusal("concurrency = 0", good),
        refusal("control = \"http://169.254.169.254/\"", good),
        refusal("retries = 3", good),
        refusal("", "url = \"ftp://a.example/\""),
        refusal("", "url = \"https://anna:secret@a.example/\""),
        refusal("", "url = \"http://[fe80::1]/\""),
        refusal("", "url = \"https://a.example/\", status = []"),
        refusal("", "url = \"https://a.example/\", status = 99"),
        refusal("", "url = \"https://a.example/\", status = \"ok\""),
        refusal("", "url = \"https://a.example/\", status = [200, 70000]"),
        refusal("", "url = \"https://a.example/\", within = \"5s\""),
        refusal("", "url = \"https://a.example/\", contains = \"\""),
        refusal("", "url = \"https://a.example/\", certificate_days = 1000"),
        refusal("", "url = \"https://a.example/\", redirects = \"maybe\""),
        refusal(
            "",
            "url = \"https://a.example/\", runbook = \"javascript:alert(1)\"",
        ),
        refusal("", "url = \"https://a.example/\", colour = \"red\""),
    ];
    assert_snapshot!(told.join("\n"), @r#"
        `timeout` must lie between 10ms and 60s
        `confirm_after` must be at most 60s
        `concurrency` must lie between 1 and 2048
        in `control`: 169.254.169.254 is a link-local, metadata or otherwise special address, which is never asked
        unknown field `retries`, expected one of `timeout`, `confirm_after`, `concurrency`, `control`, `ca_file`, `endpoints`
        in the endpoint `staging/api`: in `url`: it starts with http:// or https://, not ftp:
        in the endpoint `staging/api`: in `url`: it must not hold a user name or a password
        in the endpoint `staging/api`: in `url`: fe80::1 is a link-local, metadata or otherwise special address, which is never asked
        in the endpoint `staging/api`: `status` is empty
        in the endpoint `staging/api`: `status` must lie between 200 and 599
        invalid type: string "ok", expected a status such as 200, or a list of them
        invalid value: integer `70000`, expected u16
        in the endpoint `staging/api`: `within` must be longer than nothing and shorter than `timeout` (5s)
        in the endpoint `staging/api`: `contains` is empty
        in the endpoint `staging/api`: `certificate_days` must be at most 398
        unknown variant `maybe`, expected `finding` or `follow`
        in the endpoint `staging/api`: in `runbook`: it starts with http:// or https://, not javascript:
        unknown field `colour`, expected one of `name`, `environment`, `url`, `status`, `within`, `contains`, `certificate_days`, `redirects`, `severity`, `runbook`
        "#);
}

#[test]
fn names_must_be_fit_for_a_key_and_unique() {
    let refusal = |pairs: &[(&str, &str)]| {
        let line = |(name, environment): &(&str, &str)| {
            format!(
                "{{ name = {name:?}, environment = {environment:?}, url = \"https://a.example/\" }}"
            )
        };
        let endpoints: Vec<String> = pairs.iter().map(line).collect();
        let health: Health =
            toml::from_str(&format!("endpoints = [{}]", endpoints.join(", "))).unwrap();
        format!("{:#}", health.validate().unwrap_err())
    };
    let told = [
        refusal(&[]),
        refusal(&[("", "staging")]),
        refusal(&[("api", "")]),
        refusal(&[("api/latency", "staging")]),
        refusal(&[("a\nb", "staging")]),
        refusal(&[("api", "staging"), ("web", "staging"), ("api", "staging")]),
        refusal(&[("my api", "staging"), ("my-api", "staging")]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
        `endpoints` is empty: name at least one, or remove the section
        an endpoint's `name` is empty
        an endpoint's `environment` is empty
        an endpoint's `name` is at most 80 printable characters without `/`, not "api/latency"
        an endpoint's `name` is at most 80 printable characters without `/`, not "a b"
        two endpoints are named `staging/api`
        two endpoints are named `staging/my-api`
        "#);
}
