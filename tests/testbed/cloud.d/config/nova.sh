# shellcheck shell=bash
# Placement, and Nova with a fake hypervisor. Sourced, never run.

config_placement() {
  emit placement/placement.conf <<END
[DEFAULT]
use_stderr = true
[api]
auth_strategy = keystone
[placement_database]
connection = $(db_url placement)
$(authtoken placement)
$(common placement)
END
  emit_uwsgi placement-api placement placement.wsgi.api:application \
    "env = OS_PLACEMENT_CONFIG_DIR=$ETC/placement"
}

config_nova() {
  emit nova/nova.conf <<END
[DEFAULT]
host = $TESTBED_HOST
my_ip = $IP
use_stderr = true
state_path = $DATA/nova
transport_url = $RABBIT_URL
# nova.virt.fake "boots" an instance in memory, at once. This variant keeps its
# node's identity in state_path/compute_id like a real driver; with plain
# FakeDriver nova-compute refuses to start a second time.
compute_driver = fake.FakeDriverWithoutFakeNodes
# The fake driver forgets its instances when nova-compute restarts; nova shall
# not conclude that they were shut down.
sync_power_state_interval = -1
resume_guests_state_on_host_boot = true
# It plugs nothing, so no event is worth waiting for.
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
[api_database]
connection = $(db_url nova_api)
[database]
connection = $(db_url nova_cell1)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 30
[quota]
instances = -1
cores = -1
ram = -1
server_groups = -1
key_pairs = -1
[glance]
region_name = $TESTBED_REGION
[placement]
region_name = $TESTBED_REGION
$(service_auth placement)
[neutron]
region_name = $TESTBED_REGION
$(service_auth nova)
[service_user]
send_service_user_token = true
$(service_auth nova)
[vnc]
enabled = false
[notifications]
notification_format = unversioned
$(authtoken nova)
$(common nova)
END
  # nova-compute reaches a database only through the conductor, and complains
  # when its configuration names one.
  grep -v -e '^connection = ' -e 'database\]$' "$ETC/nova/nova.conf" | emit nova/nova-compute.conf
  emit_copy nova/api-paste.ini "$VENV/etc/nova/api-paste.ini" # looked for beside nova.conf
  emit_uwsgi nova-api nova nova.wsgi.osapi_compute:application \
    "env = OS_NOVA_CONFIG_DIR=$ETC/nova"
}
