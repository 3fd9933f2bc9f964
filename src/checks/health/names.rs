//! The look-up of names, once in a pass for endpoints that share one.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{net::lookup_host, sync::OnceCell};

use super::{
    miss::{self, Miss},
    seen::Fault,
};

type Found = Result<Arc<[IpAddr]>, Miss>;

/// What the names of a pass resolved to.
pub(super) enum Names {
    /// The first to ask for a name looks it up; the others wait for that.
    Shared(Mutex<HashMap<Box<str>, Arc<OnceCell<Found>>>>),
    /// Each look-up stands for itself, as a second try must.
    Fresh,
}

impl Names {
    pub(super) fn shared() -> Self {
        Self::Shared(Mutex::default())
    }

    /// The addresses of a name, IPv6 first; never none.
    pub(super) async fn look_up(&self, name: &str) -> Found {
        let Self::Shared(known) = self else {
            return look_up(name).await;
        };
        let cell = {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(name) {
                Some(cell) => Arc::clone(cell),
                None => Arc::clone(known.entry(name.into()).or_default()),
            }
        };
        cell.get_or_init(|| look_up(name)).await.clone()
    }
}

async fn look_up(name: &str) -> Found {
    let failed = |reason: &str| {
        let reason = format!("can't be found: the DNS look-up of {name} failed: {reason}");
        Miss::Fault(Fault::Dns, reason)
    };
    let found = lookup_host((name, 0))
        .await
        .map_err(|error| match miss::miss(&error) {
            Miss::Local(cause, reason) => Miss::Local(cause, reason),
            _ => failed(
                error
                    .to_string()
                    .trim_start_matches("failed to lookup address information: "),
            ),
        })?;
    let (mut v6, v4): (Vec<IpAddr>, Vec<IpAddr>) =
        found.map(|socket| socket.ip()).partition(IpAddr::is_ipv6);
    v6.extend(v4);
    if v6.is_empty() {
        return Err(failed("no address"));
    }
    Ok(v6.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pass_looks_a_name_up_once() {
        let names = Names::shared();
        let (a, b) = tokio::join!(names.look_up("localhost"), names.look_up("localhost"));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!(Arc::ptr_eq(&a, &b) && a[0].is_loopback());
    }

    #[tokio::test]
    async fn a_second_try_looks_up_anew() {
        let names = Names::Fresh;
        let (a, b) = tokio::join!(names.look_up("localhost"), names.look_up("localhost"));
        assert!(!Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
    }
}
