//! Why there is no connection, as the machine and the rules of addresses say.

use std::io;

use super::seen::Fault;
use crate::{address::Never, report::Cause};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Miss {
    /// Of the other side or of the way there; the reason follows the endpoint's name in a title.
    Fault(Fault, String),
    /// The address is never asked.
    Never(Never),
    /// It reaches less far than the address that led here.
    Inward(String),
    /// This machine lacks something.
    Local(Cause, String),
}

pub(super) fn miss(error: &io::Error) -> Miss {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    use io::ErrorKind as Kind;
    if matches!(error.raw_os_error(), Some(ENFILE | EMFILE)) {
        return Miss::Local(
            Cause::OwnNetwork,
            "this machine has no file descriptor left: raise `ulimit -n`, or lower `concurrency` in [checks.health]".to_owned(),
        );
    }
    match error.kind() {
        Kind::AddrNotAvailable => Miss::Local(
            Cause::OwnNetwork,
            "this machine has no free port or address for it".to_owned(),
        ),
        Kind::PermissionDenied | Kind::OutOfMemory => Miss::Local(
            Cause::OwnNetwork,
            format!("this machine can't connect: {error}"),
        ),
        Kind::ConnectionRefused => Miss::Fault(Fault::Refused, "refuses connections".to_owned()),
        Kind::ConnectionReset | Kind::ConnectionAborted => Miss::Fault(
            Fault::BrokenOff,
            "resets connections before they stand".to_owned(),
        ),
        Kind::TimedOut => Miss::Fault(
            Fault::ConnectTimeout,
            "does not take connections: no answer at all".to_owned(),
        ),
        _ => Miss::Fault(Fault::Unreachable, format!("can't be reached: {error}")),
    }
}

/// Of the misses of two addresses, the one that says more: a machine that refuses is there.
pub(super) fn more_telling(earlier: Option<Miss>, later: Miss) -> Miss {
    let weight = |miss: &Miss| match miss {
        Miss::Fault(Fault::Refused | Fault::BrokenOff, _) => 2,
        Miss::Fault(Fault::ConnectTimeout, _) => 1,
        _ => 0,
    };
    match earlier {
        Some(earlier) if weight(&earlier) > weight(&later) => earlier,
        _ => later,
    }
}
