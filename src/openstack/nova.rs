//! Nova, the compute service (API v2.1 with microversions).

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::lenient::null_default;
use super::microversion::Microversion;
use super::request::Request;
use super::service::Service;
use super::session::Session;

/// How many items a page has.
const PAGE: u32 = 500;

/// The typed calls of Nova, in a microversion (none: 2.1).
#[derive(Debug, Clone)]
pub struct Nova {
    session: Session,
    microversion: Option<Microversion>,
}

impl Session {
    /// The typed calls of Nova.
    pub fn nova(&self) -> Nova {
        Nova { session: self.clone(), microversion: None }
    }
}

/// A server.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Server {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// `BUILD`, `ACTIVE`, `ERROR`, …
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// What is being done to it; ready only when nothing is.
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    pub task_state: Option<String>,
    /// Its addresses, by the network's name.
    #[serde(default, deserialize_with = "null_default")]
    pub addresses: BTreeMap<String, Vec<Address>>,
    /// Why it is in `ERROR`.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// The name that the guest is told; from 2.90 on for everybody, before for administrators.
    #[serde(default, rename = "OS-EXT-SRV-ATTR:hostname")]
    pub hostname: Option<String>,
    /// Its metadata.
    #[serde(default, deserialize_with = "null_default")]
    pub metadata: BTreeMap<String, String>,
}

/// One address of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The address.
    pub addr: String,
    /// 4 or 6.
    pub version: u8,
    /// `fixed` or `floating`.
    #[serde(rename = "OS-EXT-IPS:type", deserialize_with = "null_default")]
    pub kind: String,
}

/// Why a server is in `ERROR`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// An HTTP status, for what it is worth.
    pub code: u16,
    /// Nova's words.
    #[serde(deserialize_with = "null_default")]
    pub message: String,
}

/// A flavor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Flavor {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// Memory, in MiB.
    #[serde(default)]
    pub ram: u64,
    /// Disk, in GiB.
    #[serde(default)]
    pub disk: u64,
    /// Processors.
    #[serde(default)]
    pub vcpus: u64,
}

/// The microversions that a cloud speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroversionRange {
    /// The lowest.
    pub min: Microversion,
    /// The highest.
    pub max: Microversion,
}

impl MicroversionRange {
    /// The best microversion that both sides speak: `wanted`, or the cloud's highest if that is lower.
    pub fn negotiate(&self, wanted: Microversion) -> Microversion {
        wanted.min(self.max).max(self.min)
    }
}

impl Nova {
    /// The same calls in a microversion. Outside the cloud's range every call fails with 406.
    #[must_use]
    pub fn with_microversion(mut self, microversion: Microversion) -> Self {
        self.microversion = Some(microversion);
        self
    }

    fn call(&self, method: Method, path: impl Into<String>) -> Request {
        let request = self.session.request(Service::Compute, method, path);
        match self.microversion {
            Some(microversion) => request.microversion(microversion),
            None => request,
        }
    }

    /// The microversions that the cloud speaks (`GET /v2.1/`); 2.1 alone where it has none.
    pub async fn microversions(&self) -> Result<MicroversionRange, Error> {
        let response = self.session.request(Service::Compute, Method::GET, "/").send().await?;
        let base = Microversion::new(2, 1);
        let version = super::versions::parse(&response.body).into_iter().next();
        Ok(MicroversionRange {
            min: version.as_ref().and_then(|v| v.min).unwrap_or(base),
            max: version.as_ref().and_then(|v| v.max).unwrap_or(base),
        })
    }

    /// The project's servers. `name` is a regular expression to Nova, so a plain name is matched again, exactly, here.
    pub async fn servers(&self, name: Option<&str>) -> Result<Vec<Server>, Error> {
        let servers: Vec<Server> = self
            .call(Method::GET, "/servers/detail")
            .query_opt("name", name.map(escape))
            .send_pages(PAGE)
            .await?
            .read(Some("servers"))?;
        Ok(servers.into_iter().filter(|server| name.is_none_or(|name| server.name == name)).collect())
    }

    /// One server.
    pub async fn server(&self, id: &str) -> Result<Server, Error> {
        self.call(Method::GET, format!("/servers/{id}")).send().await?.read(Some("server"))
    }

    /// Starts the deletion of a server. Ports that Nova made go with it; the names of other ports are cleared.
    pub async fn delete_server(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, format!("/servers/{id}")).send().await.map(drop)
    }

    /// The last `length` lines of a server's console; empty on some hypervisors.
    ///
    /// # Errors
    /// 404 or 409 before there is a console.
    pub async fn console_output(&self, id: &str, length: u32) -> Result<String, Error> {
        let output: Option<String> = self
            .call(Method::POST, format!("/servers/{id}/action"))
            .json(&json!({ "os-getConsoleOutput": { "length": length } }))
            .send()
            .await?
            .read(Some("output"))?;
        Ok(output.unwrap_or_default())
    }

    /// The flavors that the project can use.
    pub async fn flavors(&self) -> Result<Vec<Flavor>, Error> {
        self.call(Method::GET, "/flavors/detail").send_pages(PAGE).await?.read(Some("flavors"))
    }

    /// The project's absolute limits and use (`maxTotalInstances`, `totalInstancesUsed`, …); -1 for no limit.
    pub async fn limits(&self) -> Result<BTreeMap<String, i64>, Error> {
        #[derive(Deserialize)]
        struct Limits {
            #[serde(default)]
            absolute: BTreeMap<String, i64>,
        }
        let limits: Limits = self.call(Method::GET, "/limits").send().await?.read(Some("limits"))?;
        Ok(limits.absolute)
    }
}

/// A regular expression for exactly this text.
fn escape(name: &str) -> String {
    let mut out = String::from("^");
    for c in name.chars() {
        if !c.is_alphanumeric() && c != '-' && c != '_' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiates_the_best_common_microversion() {
        let range = MicroversionRange { min: Microversion::new(2, 1), max: Microversion::new(2, 79) };
        assert_eq!(range.negotiate(Microversion::new(2, 90)), Microversion::new(2, 79));
        assert_eq!(range.negotiate(Microversion::new(2, 26)), Microversion::new(2, 26));
    }

    #[test]
    fn a_name_is_not_a_pattern() {
        assert_eq!(escape("web.1 (x)-y_z"), r"^web\.1\ \(x\)-y_z$");
    }
}
