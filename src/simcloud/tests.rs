//! The simulated cloud as a foreign client sees it.

mod client;
mod clock;
mod dns;
mod faults;
mod heat;
mod heat_failures;
mod identity;
mod properties;
mod publication;
mod refusals;
mod reverse;
mod servers;
mod shapes;
mod templates;
