//! A release whose pods run.

use std::ops::Deref;
use std::time::Duration;

use serde_json::Value;

use crate::chart::site::Site;
use crate::helm::{Helm, RELEASE, set};
use crate::kube::namespace::apply_definitions;
use crate::support::{testbed, wait_until};

pub const SOON: Duration = Duration::from_mins(1);

/// A release in a namespace of its own, that runs the image under test.
pub struct Bed {
    site: Site,
    /// The values that all its revisions have.
    always: &'static [&'static str],
}

impl Bed {
    /// Installs it with these values beside others, and waits until its pods are ready.
    pub fn install(name: &str, values: &[&str]) -> Self {
        apply_definitions();
        Self::begin(Self { site: Site::beside(name, Helm::Four), always: &["crds.install=false"] }, values)
    }

    /// The same by this Helm, and together with the definitions, which it takes over from whoever had them.
    pub fn install_all(name: &str, helm: Helm, values: &[&str]) -> Self {
        Self::begin(Self { site: Site::beside(name, helm), always: &[] }, values)
    }

    fn begin(self, values: &[&str]) -> Self {
        self.helm_with("install", values, &["--take-ownership"]);
        self
    }

    /// `helm upgrade` with these values, which waits until the pods are ready.
    pub fn upgrade(&self, values: &[&str]) {
        self.helm_with("upgrade", values, &[]);
    }

    fn helm_with(&self, verb: &str, values: &[&str], more: &[&str]) {
        let image = testbed("TESTBED_OPERATOR_IMAGE");
        let (repository, tag) = image.rsplit_once(':').unwrap();
        let (repository, tag) = (format!("image.repository={repository}"), format!("image.tag={tag}"));
        let values = [&[repository.as_str(), tag.as_str()][..], self.always, values].concat();
        let options = [&set(&values)[..], more, &["--wait", "--timeout", "2m"]].concat();
        self.try_release(verb, &options).unwrap_or_else(|error| panic!("{error}\n{}", self.told()));
    }

    /// The names of the operator's pods that are not on their way out.
    pub fn pods(&self) -> Vec<String> {
        let pods: Value = serde_json::from_str(&self.kubectl(&["get", "pods", "-o", "json"])).unwrap();
        let pods = pods["items"].as_array().unwrap().iter();
        let ours = pods.filter(|pod| {
            pod["metadata"]["labels"]["app.kubernetes.io/component"] == "operator"
                && pod["metadata"]["deletionTimestamp"].is_null()
        });
        ours.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes the Secret `cloud`.
    pub fn secret(&self, clouds: &str) {
        let clouds = format!("--from-literal=clouds.yaml={clouds}");
        let kind = "--type=crossservice.dev/openstack-clouds";
        self.kubectl(&["create", "secret", "generic", "cloud", kind, &clouds]);
    }

    /// A run as it is.
    pub fn run(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "tempestrun", name, "-o", "json"])).unwrap()
    }

    /// Applies a run with this spec, in YAML's flow style.
    pub fn play(&self, name: &str, spec: &str) {
        self.apply(&format!(
            "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        ));
    }

    /// The run when kubectl says that it is finished.
    pub fn finished(&self, name: &str, within: Duration) -> Value {
        let timeout = format!("--timeout={}s", within.as_secs());
        let waited =
            self.try_kubectl(&["wait", "--for=condition=Finished", &format!("tempestrun/{name}"), &timeout]);
        waited.unwrap_or_else(|error| panic!("{error} {:#}\n{}", self.run(name), self.told()));
        self.run(name)
    }

    /// What the operator serves at `path`, by way of its Service.
    pub fn served(&self, path: &str) -> String {
        let namespace = &self.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/services/{RELEASE}:http/proxy{path}");
        self.kubectl(&["get", "--raw", &path])
    }

    /// Waits until the operator leads.
    pub fn until_it_leads(&self) {
        wait_until("the operator leads", SOON, || {
            self.served("/metrics").contains("tempest_operator_leader 1")
        });
    }

    /// Pods, events and logs, for whoever reads of a failure.
    fn told(&self) -> String {
        let mut told = String::new();
        for arguments in [
            &["get", "pods", "-o", "wide"][..],
            &["get", "events", "--sort-by=.lastTimestamp"],
            &["logs", "-l", "app.kubernetes.io/component=operator", "--all-containers", "--tail=30"],
        ] {
            told += &self.try_kubectl(arguments).unwrap_or_else(|error| error);
        }
        told
    }
}

impl Deref for Bed {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}
