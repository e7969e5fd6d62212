//! The simulated cloud, as the commands start it.

use std::sync::Arc;

use tempest_operator::simcloud::{self, Guests, SimCloud, SimOptions};

use super::args::Latency;
use super::problem::Problem;

/// Chance in the simulated cloud: the same at every start, so that two can be compared.
const SEED: u64 = 1;

/// Starts it on loopback: at `port`, its name servers at the ports after it; without one, where the system chooses.
pub async fn start(latency: Latency, port: Option<u16>) -> Result<SimCloud, Problem> {
    let latency = match latency {
        Latency::Zero => simcloud::Latency::Zero,
        Latency::Realistic => simcloud::Latency::Realistic { seed: SEED },
    };
    let guests = Guests::Booted(Arc::new(simcloud::shell));
    let options = SimOptions { latency, seed: SEED, guests, base_port: port, ..SimOptions::default() };
    SimCloud::start(options).await.map_err(|error| {
        let ports = port.map_or_else(
            || "ports that the system chooses".to_owned(),
            |first| format!("port {first} and the two after it"),
        );
        Problem::unable("the simulated cloud cannot be started")
            .because(error)
            .next(format!("it listens on 127.0.0.1 at {ports}; see that this is possible"))
    })
}
