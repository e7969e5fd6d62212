# shellcheck shell=bash
# Neutron: ML2 without agents, names published through Designate. Sourced, never run.

config_neutron() {
  local reverse=true
  if broken ptr; then reverse=false; fi
  emit neutron/neutron.conf <<END
[DEFAULT]
host = $TESTBED_HOST
use_stderr = true
state_path = $DATA/neutron
transport_url = $RABBIT_URL
api_paste_config = $VENV/etc/neutron/api-paste.ini
core_plugin = ml2
service_plugins = router
# Anything but the default "openstacklocal." switches the DNS extension on;
# this one names ports in dns_assignment, it is not published.
dns_domain = internal.test.
external_dns_driver = designate
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
# There is no DHCP agent whose "ready" a port should wait for.
enable_traditional_dhcp = false
[designate]
url = http://$IP:$DESIGNATE_PORT/v2
allow_reverse_dns_lookup = $reverse
ipv4_ptr_zone_prefix_size = 24
ipv6_ptr_zone_prefix_size = 116
ptr_zone_email = hostmaster@internal.test
$(service_auth neutron)
[nova]
region_name = $TESTBED_REGION
$(service_auth neutron)
[placement]
region_name = $TESTBED_REGION
$(service_auth placement)
[database]
connection = $(db_url neutron)
[quotas]
default_quota = -1
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
$(authtoken neutron)
$(common neutron)
END
  emit neutron/ml2_conf.ini <<END
[ml2]
type_drivers = local,flat,vlan,vxlan
tenant_network_types = vxlan
mechanism_drivers = loopback
# dns_domain_keywords includes subnet_dns_publish_fixed_ip, which includes
# dns_domain_ports, which includes dns: the last one only, for two of them
# would each publish.
extension_drivers = port_security,dns_domain_keywords
[ml2_type_flat]
flat_networks = *
[ml2_type_vlan]
# Tenants' range. Network "published" has a segment outside it, which is what
# makes Neutron publish its fixed addresses.
network_vlan_ranges = physnet1:100:199
[ml2_type_vxlan]
vni_ranges = 1:4000
[securitygroup]
enable_security_group = true
END
  # ML2 tells its workers apart by the time at which the API started.
  emit_uwsgi neutron-api neutron neutron.wsgi.api:application \
    "env = OS_NEUTRON_CONFIG_DIR=$ETC/neutron" \
    "env = OS_NEUTRON_CONFIG_FILES=neutron.conf;ml2_conf.ini" "start-time = %t"
}
