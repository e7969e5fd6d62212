//! OpenStack's own command line client against the simulated cloud: what it sends and reads is not ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempest_operator::simcloud::{SimCloud, SimOptions};

use crate::support::{finish, testbed, told};

const TEMPLATE: &str = "
heat_template_version: 2021-04-16
parameters:
  image: {type: string, constraints: [{custom_constraint: glance.image}]}
  flavor: {type: string, constraints: [{custom_constraint: nova.flavor}]}
resources:
  net: {type: OS::Neutron::Net}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.9.0.0/24}}
  server:
    type: OS::Nova::Server
    depends_on: subnet
    properties: {image: {get_param: image}, flavor: {get_param: flavor}, networks: [{network: {get_resource: net}}]}
outputs:
  address: {value: {get_attr: [server, first_address]}}
";

struct Client {
    program: PathBuf,
    directory: tempfile::TempDir,
}

impl Client {
    fn new(clouds: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("clouds.yaml"), clouds).unwrap();
        std::fs::write(directory.path().join("template.yaml"), TEMPLATE).unwrap();
        Self { program: Path::new(&testbed("TESTBED_PYTHON_ENV")).join("bin/openstack"), directory }
    }

    /// What `openstack ARGUMENT...` prints.
    fn run(&self, line: &str) -> String {
        let mut command = Command::new(&self.program);
        command.args(line.split(' ')).current_dir(self.directory.path()).env("OS_CLOUD", "demo");
        let output = finish(command.env("OS_CLIENT_CONFIG_FILE", "clouds.yaml"));
        assert!(output.status.success(), "{line}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The first word of the list.
    fn first(&self, line: &str) -> String {
        let list = self.run(&format!("{line} -f value -c Name"));
        list.lines().next().unwrap_or_else(|| panic!("{line}: nothing")).to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the OpenStack test bed, for its client: tests/run cloud"]
async fn the_openstack_client_drives_the_simulated_cloud() {
    let cloud = SimCloud::start(SimOptions::default()).await.unwrap();
    let (clouds, suffix) = (cloud.clouds_yaml(), cloud.zone_suffix().to_owned());
    tokio::task::spawn_blocking(move || {
        let client = Client::new(&clouds);
        let zone = format!("client.{suffix}");
        client.run(&format!("zone create --email hostmaster@example.test {zone}"));
        client.run(&format!("recordset create --type A --record 203.0.113.5 {zone} www"));
        let records = client.run(&format!("recordset list {zone} -f value -c name -c records"));
        assert!(records.contains(&format!("www.{zone} 203.0.113.5")), "{records}");

        let (image, flavor) = (client.first("image list"), client.first("flavor list"));
        client.run(&format!(
            "stack create -t template.yaml --parameter image={image} --parameter flavor={flavor} --wait made"
        ));
        assert_eq!(client.run("stack show made -f value -c stack_status"), "CREATE_COMPLETE");
        let address = client.run("stack output show made address -f value -c output_value");
        assert!(address.starts_with("10.9.0."), "{address}");
        let server = client.run("stack resource show made server -f value -c physical_resource_id");
        assert_eq!(client.run(&format!("server show {server} -f value -c status")), "ACTIVE");
        assert!(client.run("stack event list made -f value").contains("CREATE_COMPLETE"));

        let network = client.run("stack resource show made net -f value -c physical_resource_id");
        let port = client.run(&format!("port create --network {network} -f value -c id mine"));
        let external = client.first("network list --external");
        let floating = client.run(&format!("floating ip create {external} -f value -c floating_ip_address"));
        assert!(client.run("floating ip list -f value").contains(&floating));

        client.run(&format!("floating ip delete {floating}"));
        client.run(&format!("port delete {port}"));
        client.run("stack delete --yes --wait made");
        client.run(&format!("zone delete {zone}"));
        for list in ["stack list", "server list", "floating ip list", "zone list"] {
            assert_eq!(client.run(&format!("{list} -f value")), "");
        }
    })
    .await
    .unwrap();
}
