//! The simulated cloud as a foreign client sees it.

mod client;
mod clock;
mod dns;
mod faults;
mod heat;
mod identity;
mod publication;
mod refusals;
mod servers;
mod shapes;
mod templates;
