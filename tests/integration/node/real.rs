//! The real OpenStack as pods see it: it listens on this machine's loopback, which they reach at the node's other end.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::bed::Bed;
use crate::support::{cloud_command, finish, repository, testbed, told};

const LOOPBACK: &str = "127.0.0.1";

/// What leads there.
pub struct RealCloud {
    clouds: String,
    nameservers: String,
}

impl RealCloud {
    /// Lets pods reach it.
    pub fn reachable() -> Self {
        let (host, entry) = (testbed("TESTBED_NODE_HOST"), testbed("TESTBED_CLOUD_PRIMARY"));
        let mut clouds: Value =
            serde_json::from_str(&std::fs::read_to_string(testbed("TESTBED_CLOUDS_YAML")).unwrap()).unwrap();
        let catalogue = cloud_command(&["openstack", "--os-cloud", &entry, "catalog", "list", "-f", "json"]);
        let catalogue: Value = serde_json::from_str(&catalogue).unwrap();
        let mut addresses = vec![clouds["clouds"][&entry]["auth"]["auth_url"].as_str().unwrap().to_owned()];
        let cloud = &mut clouds["clouds"][&entry];
        for service in catalogue.as_array().unwrap() {
            let endpoints = service["Endpoints"].as_array().unwrap();
            let public = endpoints.iter().find(|one| one["interface"] == "public").unwrap();
            let url = public["url"].as_str().unwrap();
            let key = format!("{}_endpoint_override", service["Type"].as_str().unwrap());
            cloud[key] = url.replace(LOOPBACK, &host).into();
            addresses.push(url.to_owned());
        }
        cloud["auth"]["auth_url"] = addresses[0].replace(LOOPBACK, &host).into();
        let nameservers = testbed("TESTBED_NAMESERVERS");
        addresses.extend(nameservers.split(',').map(ToOwned::to_owned));
        let ports: BTreeSet<&str> = addresses.iter().map(|address| port(address)).collect();
        let mut forward = Command::new(repository("tests/testbed/kube"));
        let forwarded = finish(forward.args(["node", "forward"]).args(ports));
        assert!(forwarded.status.success(), "{}", told(&forwarded));
        Self {
            clouds: serde_json::json!({ "clouds": { entry: cloud } }).to_string(),
            nameservers: nameservers.replace(LOOPBACK, &host).replace(',', "', '"),
        }
    }

    /// Makes the Secret `cloud` for it.
    pub fn secret(&self, bed: &Bed) {
        bed.secret(&self.clouds);
    }

    /// The spec of a run of these scenarios, with these execution controls.
    pub fn spec(&self, scenarios: &str, execution: &str) -> String {
        format!(
            "cloud: {{secretRef: {{name: cloud}}, primary: {}, zoneSuffix: {}, floatingNetwork: {}, \
             publishedNetwork: {}, nameservers: ['{}'], features: {{guest: NotOffered}}}}, \
             scenarios: {{include: [{scenarios}]}}, execution: {{{execution}}}",
            testbed("TESTBED_CLOUD_PRIMARY"),
            testbed("TESTBED_ZONE_SUFFIX"),
            testbed("TESTBED_PUBLIC_NETWORK"),
            testbed("TESTBED_PUBLISHED_NETWORK"),
            self.nameservers,
        )
    }
}

/// The port of `http://127.0.0.1:PORT/…` or `127.0.0.1:PORT`.
fn port(address: &str) -> &str {
    let (_, after) = address.split_once(&format!("{LOOPBACK}:")).unwrap_or_else(|| panic!("{address}"));
    after.split('/').next().unwrap()
}
