//! The simulated cloud as a foreign client sees it.

mod client;
mod dns;
mod faults;
mod heat;
mod identity;
mod publication;
mod shapes;
