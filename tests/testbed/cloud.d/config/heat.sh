# shellcheck shell=bash
# Heat, with trusts for deferred work as by default. Sourced, never run.

config_heat() {
  emit heat/heat.conf <<END
[DEFAULT]
host = $TESTBED_HOST
use_stderr = true
transport_url = $RABBIT_URL
num_engine_workers = 1
max_stacks_per_tenant = -1
max_resources_per_stack = -1
region_name_for_services = $TESTBED_REGION
environment_dir = $VENV/etc/heat/environment.d
template_dir = $VENV/etc/heat/templates
auth_encryption_key = $(md5sum <<<"$TESTBED_PASSWORD" | cut -c1-32)
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $TESTBED_PASSWORD
stack_user_domain_name = heat
heat_metadata_server_url = http://$IP:$HEAT_PORT
[paste_deploy]
api_paste_config = $VENV/etc/heat/api-paste.ini
[database]
connection = $(db_url heat)
[trustee]
$(password_auth heat)
[clients_keystone]
auth_uri = http://$IP:$KEYSTONE_PORT
$(authtoken heat)
$(common heat)
END
  emit_uwsgi heat-api heat heat.wsgi.api:application \
    "pyargv = --config-file $ETC/heat/heat.conf"
}
