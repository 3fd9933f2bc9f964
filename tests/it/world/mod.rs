//! The described world: fakes that derive what they do from what they are said to be.

pub(crate) mod endpoints;
