//! Designate, the DNS service (API v2).

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;
use super::lenient::null_default;
use super::request::Request;
use super::service::Service;
use super::session::Session;

/// How many items a page has; Designate's own default is 20, its usual maximum 1000.
const PAGE: u32 = 500;

/// The typed calls of Designate.
#[derive(Debug, Clone)]
pub struct Designate {
    session: Session,
    all_projects: bool,
}

impl Session {
    /// The typed calls of Designate.
    pub fn designate(&self) -> Designate {
        Designate { session: self.clone(), all_projects: false }
    }
}

/// A zone.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Zone {
    /// The id.
    pub id: String,
    /// The name, with the dot at the end.
    #[serde(default)]
    pub name: String,
    /// The address in the SOA.
    #[serde(default, deserialize_with = "null_default")]
    pub email: String,
    /// The default TTL, in seconds.
    #[serde(default, deserialize_with = "null_default")]
    pub ttl: u32,
    /// The serial.
    #[serde(default, deserialize_with = "null_default")]
    pub serial: u32,
    /// `PENDING`, `ACTIVE` or `ERROR` (which is not the end: Designate tries again).
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// `NONE`, `CREATE`, `UPDATE` or `DELETE`.
    #[serde(default, deserialize_with = "null_default")]
    pub action: String,
    /// Free text.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// `PRIMARY` or `SECONDARY`.
    #[serde(default, rename = "type", deserialize_with = "null_default")]
    pub zone_type: String,
    /// The pool that serves it.
    #[serde(default, deserialize_with = "null_default")]
    pub pool_id: String,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "null_default")]
    pub project_id: String,
    /// Whether other projects may use it too.
    #[serde(default, deserialize_with = "null_default")]
    pub shared: bool,
}

impl Zone {
    /// Whether Designate thinks that every name server has it.
    pub fn is_settled(&self) -> bool {
        self.status == "ACTIVE" && self.action == "NONE"
    }
}

/// A record set.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RecordSet {
    /// The id.
    pub id: String,
    /// Its zone.
    #[serde(default, deserialize_with = "null_default")]
    pub zone_id: String,
    /// Its zone's name.
    #[serde(default, deserialize_with = "null_default")]
    pub zone_name: String,
    /// The owner, with the dot at the end.
    #[serde(default)]
    pub name: String,
    /// The type.
    #[serde(default, rename = "type")]
    pub rtype: String,
    /// The data, one text a record.
    #[serde(default, deserialize_with = "null_default")]
    pub records: Vec<String>,
    /// The TTL in seconds; the zone's if none.
    #[serde(default)]
    pub ttl: Option<u32>,
    /// `PENDING`, `ACTIVE` or `ERROR`.
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// `NONE`, `CREATE`, `UPDATE` or `DELETE`.
    #[serde(default, deserialize_with = "null_default")]
    pub action: String,
    /// Free text.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// The project that made it.
    #[serde(default, deserialize_with = "null_default")]
    pub project_id: String,
}

impl RecordSet {
    /// Whether Designate thinks that every name server has it.
    pub fn is_settled(&self) -> bool {
        self.status == "ACTIVE" && self.action == "NONE"
    }
}

/// A zone to create.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewZone {
    /// The name, with the dot at the end.
    pub name: String,
    /// The address in the SOA.
    pub email: String,
    /// The default TTL, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A name server as Designate's pool names it: a name, not an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PoolNameServer {
    /// The name, with the dot at the end.
    pub hostname: String,
    /// Its rank.
    pub priority: u32,
}

impl Designate {
    /// The same calls over all projects; needs an administrator.
    #[must_use]
    pub fn all_projects(mut self) -> Self {
        self.all_projects = true;
        self
    }

    fn call(&self, method: Method, path: impl Into<String>) -> Request {
        let request = self.session.request(Service::Dns, method, path);
        if self.all_projects { request.header("x-auth-all-projects", "true") } else { request }
    }

    /// The zones, all of them or the one with this name.
    pub async fn zones(&self, name: Option<&str>) -> Result<Vec<Zone>, Error> {
        self.call(Method::GET, "/zones").query_opt("name", name).send_pages(PAGE).await?.read(Some("zones"))
    }

    /// One zone.
    pub async fn zone(&self, id: &str) -> Result<Zone, Error> {
        self.call(Method::GET, format!("/zones/{id}")).send().await?.read(None)
    }

    /// Creates a zone. Afterwards it is `PENDING`/`CREATE`.
    ///
    /// # Errors
    /// 409 `duplicate_zone`; 403 `illegal_child`, `illegal_parent` beside another tenant's zone; 413 `over_quota`.
    pub async fn create_zone(&self, zone: &NewZone) -> Result<Zone, Error> {
        self.call(Method::POST, "/zones").json(zone).send().await?.read(None)
    }

    /// Starts the deletion of a zone with all that is in it; it is gone when it is not found any more.
    pub async fn delete_zone(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, format!("/zones/{id}")).send().await.map(drop)
    }

    /// The name servers of a zone.
    pub async fn name_servers(&self, zone: &str) -> Result<Vec<PoolNameServer>, Error> {
        self.call(Method::GET, format!("/zones/{zone}/nameservers")).send().await?.read(Some("nameservers"))
    }

    /// The record sets of a zone; all, or those with this name and type.
    pub async fn record_sets(
        &self,
        zone: &str,
        name: Option<&str>,
        rtype: Option<&str>,
    ) -> Result<Vec<RecordSet>, Error> {
        self.call(Method::GET, format!("/zones/{zone}/recordsets"))
            .query_opt("name", name)
            .query_opt("type", rtype)
            .send_pages(PAGE)
            .await?
            .read(Some("recordsets"))
    }

    /// The record sets of all zones with this name (`*` fits anything).
    pub async fn find_record_sets(&self, name: &str) -> Result<Vec<RecordSet>, Error> {
        self.call(Method::GET, "/recordsets")
            .query("name", name)
            .send_pages(PAGE)
            .await?
            .read(Some("recordsets"))
    }

    /// Starts the deletion of a record set.
    pub async fn delete_record_set(&self, zone: &str, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, format!("/zones/{zone}/recordsets/{id}")).send().await.map(drop)
    }

    /// The limits, by Designate's names (`max_zones`, `max_recordset_records`, …).
    pub async fn limits(&self) -> Result<BTreeMap<String, Value>, Error> {
        self.call(Method::GET, "/limits").send().await?.read(None)
    }
}
