//! Block Kit as the sandbox's page draws it.

mod gallery;
mod hostile;
mod marks;
mod page;
mod way_back;
