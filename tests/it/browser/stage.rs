//! A sandbox with a browser before it.

use std::{
    future::Future, net::TcpListener, path::PathBuf, process::Stdio, sync::Arc, time::Duration,
};

use daily_ops::{
    command::Transport,
    sandbox::{Office, Options, page::Page},
};
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use crate::world::skipped::needs_program;

/// Nothing on the page takes longer, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Browsers at a time: each takes a core and 300 MB.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// How a window looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) size: (u32, u32),
    pub(crate) is_dark: bool,
    pub(crate) runs_scripts: bool,
}

pub(crate) const LAPTOP: Shape = Shape {
    size: (1440, 900),
    is_dark: false,
    runs_scripts: true,
};

pub(crate) const PHONE: Shape = Shape {
    size: (390, 844),
    ..LAPTOP
};

/// A sandbox in which that scenario plays, and a browser that shows it to Anna.
pub(crate) async fn play<F: Future<Output = ()> + Send + 'static>(
    scenario: &str,
    shape: Shape,
    act: impl FnOnce(Stage) -> F,
) {
    let what = "the sandbox in a browser";
    if needs_program("chromedriver", what).is_none() || needs_program("chromium", what).is_none() {
        return;
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let _one = BROWSERS.acquire().await.expect("it is never closed");
    let (driver, port) = driver();
    let options = Options {
        keep: None,
        transport: Transport::Http,
        scenario: Some(scenario.to_owned()),
    };
    let office = Arc::new(Office::open(&options).await.expect("the sandbox opens"));
    let page = Page::bind(0).await.expect("a port is free");
    let address = page.address;
    let (stop, shutdown) = watch::channel(false);
    let serving = tokio::spawn(page.serve(Arc::clone(&office), shutdown));
    let client = session(port, shape).await;
    let stage = Stage {
        window: Window(client.clone()),
        address: format!("http://{address}"),
        office: Arc::clone(&office),
    };
    stage.window.open(&stage.address).await;
    // In a task of its own, so that the browser ends whatever becomes of it.
    let acted = tokio::spawn(act(stage)).await;
    if acted.is_err() {
        let name = std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .replace("::", "-");
        Window(client.clone())
            .picture(&format!("failed-{name}"))
            .await;
    }
    client.close().await.ok();
    end(driver, stop, serving, &office).await;
    if let Err(failed) = acted {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn end(
    mut driver: Child,
    stop: watch::Sender<bool>,
    serving: JoinHandle<anyhow::Result<()>>,
    office: &Office,
) {
    driver.kill().await.ok();
    stop.send_replace(true);
    serving
        .await
        .expect("the page ends")
        .expect("the page ends well");
    office.close().await.expect("the bot ends well");
}

fn driver() -> (Child, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    drop(listener);
    let driver = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it is installed");
    (driver, port)
}

async fn session(port: u16, shape: Shape) -> Client {
    let (width, height) = shape.size;
    let mut args = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--force-prefers-reduced-motion".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--lang=en-GB".to_owned(),
    ];
    if shape.is_dark {
        args.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut options = json!({ "args": args });
    if !shape.runs_scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    options["mobileEmulation"] = json!({
        "deviceMetrics": {
            "width": width, "height": height, "pixelRatio": 1.0, "touch": false, "mobile": width < 600,
        },
    });
    let Value::Object(capabilities) = json!({ "goog:chromeOptions": options }) else {
        unreachable!("it is an object");
    };
    let begin = tokio::time::Instant::now();
    loop {
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        match client {
            Ok(client) => return client,
            // The driver is not up yet.
            Err(error) if begin.elapsed() > PATIENCE => panic!("no browser: {error}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

pub(crate) struct Stage {
    pub(crate) window: Window,
    pub(crate) address: String,
    pub(crate) office: Arc<Office>,
}

impl Stage {
    /// The address for that person.
    pub(crate) fn as_person(&self, id: &str) -> String {
        format!("{}/?as={id}", self.address)
    }
}

/// What a person sees and does.
pub(crate) struct Window(pub(crate) Client);

impl Window {
    pub(crate) async fn open(&self, address: &str) {
        self.0.goto(address).await.expect("the page opens");
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self
            .0
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.unwrap_or_else(|error| panic!("there is no {css}: {error}"))
    }

    /// The button or the link with these words; the last one that is seen, as the newest message is below.
    pub(crate) async fn press(&self, words: &str) {
        let path = format!(
            "//*[self::button or self::a or self::summary][normalize-space()='{words}' or @aria-label='{words}' \
             or .//b[normalize-space()='{words}']]"
        );
        let begin = tokio::time::Instant::now();
        loop {
            for button in self
                .0
                .find_all(Locator::XPath(&path))
                .await
                .unwrap_or_default()
                .iter()
                .rev()
            {
                // One that is not seen, or that went meanwhile, can't be clicked.
                if button.click().await.is_ok() {
                    return;
                }
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "there is no `{words}` that can be clicked"
            );
        }
    }

    /// The first of them: of the uppermost finding.
    pub(crate) async fn press_first(&self, words: &str) {
        self.press_in("#messages", words).await;
    }

    pub(crate) async fn follow(&self, css: &str) {
        let link = self.find(css).await;
        link.click().await.expect("it can be clicked");
    }

    /// As [`Window::press`], within an element.
    pub(crate) async fn press_in(&self, css: &str, words: &str) {
        self.find(css).await;
        let script = "[...document.querySelector(arguments[0]).querySelectorAll('button, a')]
            .find(it => it.innerText.trim() === arguments[1]).click()";
        let pressed = self.0.execute(script, vec![css.into(), words.into()]).await;
        pressed.unwrap_or_else(|error| panic!("`{words}` in {css} can't be clicked: {error}"));
    }

    /// Writes into the message box, and sends it.
    pub(crate) async fn types(&self, line: &str) {
        let field = self.find("#composer").await;
        field
            .send_keys(&format!("{line}\u{e007}"))
            .await
            .expect("it can be typed");
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        self.0
            .perform_actions(actions)
            .await
            .expect("the keys can be pressed");
    }

    /// Presses a key while Shift is held.
    pub(crate) async fn shifted(&self, key: &str) {
        let shift = '\u{e008}';
        let mut actions =
            KeyActions::new("keyboard".to_owned()).then(KeyAction::Down { value: shift });
        for value in key.chars() {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        let actions = actions.then(KeyAction::Up { value: shift });
        self.0
            .perform_actions(actions)
            .await
            .expect("the keys can be pressed");
    }

    /// Waits until these words stand there.
    pub(crate) async fn reads(&self, css: &str, words: &str) {
        let begin = tokio::time::Instant::now();
        loop {
            let text = self.text(css).await;
            if text.contains(words) {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "`{words}` does not stand in {css}: {text}"
            );
        }
    }

    /// Waits until they stand there no more.
    pub(crate) async fn reads_no_more(&self, css: &str, words: &str) {
        let begin = tokio::time::Instant::now();
        loop {
            let text = self.text(css).await;
            if !text.contains(words) {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "`{words}` still stands in {css}: {text}"
            );
        }
    }

    /// What stands in all that matches, as it is seen.
    pub(crate) async fn text(&self, css: &str) -> String {
        let found = self.0.find_all(Locator::Css(css)).await.unwrap_or_default();
        let mut texts = Vec::new();
        for element in found {
            // One that went meanwhile has none.
            texts.push(element.text().await.unwrap_or_default());
        }
        texts.join(
            "
",
        )
    }

    pub(crate) async fn asks(&self, script: &str) -> Value {
        self.0
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
    }

    /// Keeps a picture of it among those of CI.
    pub(crate) async fn picture(&self, name: &str) -> Vec<u8> {
        let Ok(png) = self.0.screenshot().await else {
            return Vec::new();
        };
        let folder = screenshots();
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(folder.join(format!("{name}.png")), &png).expect("it can be written");
        png
    }
}

fn screenshots() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    let folder = std::env::var_os("SCREENSHOTS");
    folder.map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"),
        PathBuf::from,
    )
}
