//! The operator's pod against the real OpenStack.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::bed::Bed;
use crate::helm::Helm;
use crate::kube::namespace::row;
use crate::support::{
    cloud_command, cloud_for_oneself, finish, leavings, nothing_is_left, repository, testbed, told,
    wait_until,
};

const LONG: Duration = Duration::from_mins(10);
/// Of the suite, what the workshop had.
const SUITE: &str = "heat_zone_lifecycle, port_on_external_net_to_dns, 'floating_ip_with_*'";
const LOOPBACK: &str = "127.0.0.1";

/// The cloud as pods see it: it listens on this machine's loopback, which they reach at the node's other end.
struct Reachable {
    clouds: String,
    nameservers: String,
}

fn reachable() -> Reachable {
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
    Reachable {
        clouds: serde_json::json!({ "clouds": { entry: cloud } }).to_string(),
        nameservers: nameservers.replace(LOOPBACK, &host).replace(',', "', '"),
    }
}

/// The port of `http://127.0.0.1:PORT/…` or `127.0.0.1:PORT`.
fn port(address: &str) -> &str {
    let (_, after) = address.split_once(&format!("{LOOPBACK}:")).unwrap_or_else(|| panic!("{address}"));
    after.split('/').next().unwrap()
}

fn spec(nameservers: &str, scenarios: &str) -> String {
    format!(
        "cloud: {{secretRef: {{name: cloud}}, primary: {}, zoneSuffix: {}, floatingNetwork: {}, publishedNetwork: \
         {}, nameservers: ['{nameservers}'], features: {{guest: NotOffered}}}}, scenarios: {{include: [{scenarios}]}}",
        testbed("TESTBED_CLOUD_PRIMARY"),
        testbed("TESTBED_ZONE_SUFFIX"),
        testbed("TESTBED_PUBLIC_NETWORK"),
        testbed("TESTBED_PUBLISHED_NETWORK"),
    )
}

#[test]
#[ignore = "needs a node and the OpenStack test bed: tests/run node"]
fn a_pod_proves_the_real_cloud_and_so_does_the_one_that_takes_its_place() {
    let _cloud = cloud_for_oneself();
    let reachable = reachable();
    let bed = Bed::install("real", Helm::Four, &[]);
    let clouds = format!("--from-literal=clouds.yaml={}", reachable.clouds);
    bed.kubectl(&[
        "create",
        "secret",
        "generic",
        "cloud",
        "--type=crossservice.dev/openstack-clouds",
        &clouds,
    ]);

    bed.play("all", &spec(&reachable.nameservers, SUITE));
    let run = bed.finished("all", LONG);
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(run["status"]["summary"]["passed"], run["status"]["summary"]["total"], "{run:#}");
    nothing_is_left();

    // An upgrade in the middle of a run: what is under way is undone, and played again by the next pod.
    bed.play("handed-over", &spec(&reachable.nameservers, "heat_zone_lifecycle"));
    wait_until("it made something", LONG, || !leavings().is_empty());
    bed.release("upgrade", &["controller.log=debug"]);
    let run = bed.finished("handed-over", LONG);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert_eq!(run["status"]["attempt"], 2, "{run:#}");
    nothing_is_left();
    bed.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
}
