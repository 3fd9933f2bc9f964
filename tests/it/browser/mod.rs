//! The sandbox as people use it: in a real browser.

mod asking;
mod deciding;
mod elements;
mod people;
mod pictures;
mod reach;
mod stage;
mod time;
mod window;
