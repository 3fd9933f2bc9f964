//! The sandbox in the terminal: it says where it is, and ends when it is told to.

use std::sync::Arc;

use anyhow::Context;
use tokio::sync::watch;

use super::{Environment, Exit, print, show, signalled};
use crate::{
    command::Sandbox,
    sandbox::{Office, Options, once, page::Page},
};

pub(super) async fn run(asked: Sandbox, env: Environment) -> anyhow::Result<Exit> {
    if let Some(scenario) = &asked.once {
        let (round, zone) = once(scenario).await?;
        return show(round, zone, &asked.shown, env);
    }
    let options = Options {
        keep: asked.keep,
        transport: asked.transport,
        scenario: asked.scenario,
    };
    let page = Page::bind(0).await?;
    let office = Arc::new(Office::open(&options).await?);
    print(&format!("the sandbox is open: http://{}/\n", page.address))?;
    let (stop, shutdown) = watch::channel(false);
    let serving = tokio::spawn(page.serve(Arc::clone(&office), shutdown));
    signalled().await.context("no signal can be waited for")?;
    stop.send_replace(true);
    serving.await??;
    if let Some(office) = Arc::into_inner(office) {
        office.close().await?;
    }
    Ok(Exit::Well)
}
