//! Neutron, the network service (API v2.0).

mod types;

use std::collections::BTreeMap;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::Error;
use super::request::Request;
use super::service::Service;
use super::session::Session;

pub use types::{
    DnsAssignment, FixedIp, FloatingIp, IpAvailability, Network, Port, QuotaUse, Router, RouterGateway,
    Subnet, SubnetAvailability,
};

/// How many items a page has.
const PAGE: u32 = 500;

/// The typed calls of Neutron.
#[derive(Debug, Clone)]
pub struct Neutron {
    session: Session,
}

impl Session {
    /// The typed calls of Neutron.
    pub fn neutron(&self) -> Neutron {
        Neutron { session: self.clone() }
    }
}

/// A filter of a list: name and value. Unknown names are an error (400) where the cloud checks them.
pub type Filter<'a> = (&'a str, &'a str);

impl Neutron {
    fn call(&self, method: Method, path: impl Into<String>) -> Request {
        self.session.request(Service::Network, method, path)
    }

    /// All items of a list (`ports`, `networks`, …), page by page.
    pub async fn list_all<T: DeserializeOwned>(
        &self,
        list: &str,
        filters: &[Filter<'_>],
    ) -> Result<Vec<T>, Error> {
        let request =
            filters.iter().fold(self.call(Method::GET, format!("/{list}")), |request, (name, value)| {
                request.query(*name, value)
            });
        // The member is named as the path: `/security-groups` has `security_groups`.
        let member = list.replace('-', "_");
        request.send_pages(PAGE).await?.read(Some(&member))
    }

    async fn one<T: DeserializeOwned>(&self, request: Request, member: &str) -> Result<T, Error> {
        request.send().await?.read(Some(member))
    }

    /// The aliases of the extensions that the cloud has.
    pub async fn extensions(&self) -> Result<Vec<String>, Error> {
        let all: Vec<Value> = self.call(Method::GET, "/extensions").send().await?.read(Some("extensions"))?;
        Ok(all.iter().filter_map(|extension| extension["alias"].as_str()).map(str::to_owned).collect())
    }

    /// Networks that fit all filters (`name`, `id`, `router:external`, …).
    pub async fn networks(&self, filters: &[Filter<'_>]) -> Result<Vec<Network>, Error> {
        self.list_all("networks", filters).await
    }

    /// One network.
    pub async fn network(&self, id: &str) -> Result<Network, Error> {
        self.one(self.call(Method::GET, format!("/networks/{id}")), "network").await
    }

    /// Subnets that fit all filters.
    pub async fn subnets(&self, filters: &[Filter<'_>]) -> Result<Vec<Subnet>, Error> {
        self.list_all("subnets", filters).await
    }

    /// Routers that fit all filters.
    pub async fn routers(&self, filters: &[Filter<'_>]) -> Result<Vec<Router>, Error> {
        self.list_all("routers", filters).await
    }

    /// How many addresses a network has and uses. Most clouds allow this to administrators only (403, or 404).
    pub async fn ip_availability(&self, network: &str) -> Result<IpAvailability, Error> {
        self.one(
            self.call(Method::GET, format!("/network-ip-availabilities/{network}")),
            "network_ip_availability",
        )
        .await
    }

    /// Floating IPs that fit all filters (`floating_ip_address`, `port_id`, `description`, …).
    pub async fn floating_ips(&self, filters: &[Filter<'_>]) -> Result<Vec<FloatingIp>, Error> {
        self.list_all("floatingips", filters).await
    }

    /// One floating IP.
    pub async fn floating_ip(&self, id: &str) -> Result<FloatingIp, Error> {
        self.one(self.call(Method::GET, format!("/floatingips/{id}")), "floatingip").await
    }

    /// Creates a floating IP from the members of its body (`floating_network_id`, `port_id`, `dns_name`, `dns_domain`,
    /// `description`, …).
    ///
    /// # Errors
    /// 409 may be told *after* the floating IP was made (external DNS over quota): look it up by its description.
    pub async fn create_floating_ip(&self, members: &Value) -> Result<FloatingIp, Error> {
        self.one(
            self.call(Method::POST, "/floatingips").json(&json!({ "floatingip": members })),
            "floatingip",
        )
        .await
    }

    /// Changes a floating IP: `port_id` (null takes it off), `fixed_ip_address`, `description`.
    pub async fn update_floating_ip(&self, id: &str, members: &Value) -> Result<FloatingIp, Error> {
        self.one(
            self.call(Method::PUT, format!("/floatingips/{id}")).json(&json!({ "floatingip": members })),
            "floatingip",
        )
        .await
    }

    /// Deletes a floating IP; its records go first.
    pub async fn delete_floating_ip(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, format!("/floatingips/{id}")).send().await.map(drop)
    }

    /// Ports that fit all filters (`network_id`, `device_id`, `name`, …).
    pub async fn ports(&self, filters: &[Filter<'_>]) -> Result<Vec<Port>, Error> {
        self.list_all("ports", filters).await
    }

    /// One port.
    pub async fn port(&self, id: &str) -> Result<Port, Error> {
        self.one(self.call(Method::GET, format!("/ports/{id}")), "port").await
    }

    /// Creates a port from the members of its body. Success says nothing about DNS.
    pub async fn create_port(&self, members: &Value) -> Result<Port, Error> {
        self.one(self.call(Method::POST, "/ports").json(&json!({ "port": members })), "port").await
    }

    /// Changes a port.
    pub async fn update_port(&self, id: &str, members: &Value) -> Result<Port, Error> {
        self.one(self.call(Method::PUT, format!("/ports/{id}")).json(&json!({ "port": members })), "port")
            .await
    }

    /// Deletes a port; its records go first, so Designate's trouble can make this fail.
    pub async fn delete_port(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, format!("/ports/{id}")).send().await.map(drop)
    }

    /// What the project may have and has, by resource (`floatingip`, `port`, `network`, …).
    pub async fn quotas(&self, project: &str) -> Result<BTreeMap<String, QuotaUse>, Error> {
        self.one(self.call(Method::GET, format!("/quotas/{project}/details.json")), "quota").await
    }
}
