//! A simulated OpenStack and its name servers behind plain HTTP and DNS.
//!
//! The whole cloud is one state machine (the `world` module) that is moved on whenever somebody looks at it; the services
//! are pure functions on it. It is a peer on the far side of the network: it shares no code with the
//! clients that test it.

mod connection;
mod designate;
mod faults;
mod glance;
mod heat;
mod http;
mod inventory;
mod keystone;
mod nameserver;
mod neutron;
mod nova;
mod options;
mod requests;
mod spoil;
mod table;
#[cfg(test)]
mod tests;
mod wire;
mod world;

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinSet};

pub use faults::{Fault, FaultId, Faults, NameServerMode, Scope};
pub use inventory::{Inventory, Item};
pub use nova::shell;
pub use options::{Console, GuestView, Guests, Latency, Quotas, SimOptions, Stages};
pub use requests::{RecordedRequest, Requests};
pub use wire::Service;

use self::{connection::CuttableListener, http::Shared, world::World};

/// A running simulated cloud; it stops when dropped.
pub struct SimCloud {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    auth_url: String,
    name_servers: Vec<SocketAddr>,
    clouds_yaml: String,
    zone_suffix: String,
}

impl SimCloud {
    /// Starts the cloud and its name servers.
    pub async fn start(options: SimOptions) -> io::Result<Self> {
        let port = |offset: u16| options.base_port.map_or(0, |base| base.saturating_add(offset));
        let listener = TcpListener::bind((options.listen, port(0))).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let mut servers = Vec::new();
        for index in 0..options.name_server_count.max(1) {
            let offset = u16::try_from(index + 1).unwrap_or(u16::MAX);
            let address = SocketAddr::new(options.listen, port(offset));
            servers.push(nameserver::bind(address).await?);
        }
        let faults = Faults::default();
        let zone_suffix = options.zone_suffix.clone();
        let world = World::new(options, faults.clone(), base_url.clone());
        let auth_url = format!("{base_url}/identity/v3");
        let clouds_yaml = inventory::clouds_yaml(&world, &auth_url);
        let shared = Arc::new(Shared::new(world, faults));
        let mut tasks = JoinSet::new();
        tasks.spawn(http::serve(CuttableListener(listener), Arc::clone(&shared)));
        let mut name_servers = Vec::new();
        for (index, (udp, tcp)) in servers.into_iter().enumerate() {
            name_servers.push(udp.local_addr()?);
            tasks.spawn(nameserver::serve(Arc::clone(&shared), index, udp, tcp));
        }
        Ok(Self { shared, tasks, auth_url, name_servers, clouds_yaml, zone_suffix })
    }

    /// A `clouds.yaml` with the entries `demo`, `demo2`, `reader`, `admin` and `demo-appcred`.
    pub fn clouds_yaml(&self) -> String {
        self.clouds_yaml.clone()
    }

    /// Where Keystone is.
    pub fn auth_url(&self) -> String {
        self.auth_url.clone()
    }

    /// The authoritative name servers, in the order that faults count them in.
    pub fn name_servers(&self) -> Vec<SocketAddr> {
        self.name_servers.clone()
    }

    /// The suffix under which tests may make zones.
    pub fn zone_suffix(&self) -> &str {
        &self.zone_suffix
    }

    /// The switchboard of faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// What exists now that was not there at the start.
    pub fn snapshot(&self) -> Inventory {
        Inventory::of(&self.shared.world())
    }

    /// What was asked so far.
    pub fn requests(&self) -> Requests {
        self.shared.world().requests.clone()
    }

    /// Gives a user another password, which ends all tokens of that user.
    pub fn change_password(&self, user: &str, password: &str) {
        self.shared.world().identity.change_password(user, password);
    }

    /// Stops and waits until all sockets are closed.
    pub async fn shutdown(mut self) {
        self.shared.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for SimCloud {
    fn drop(&mut self) {
        // The tasks are aborted with their set; connections end by the token.
        self.shared.stop.cancel();
    }
}
