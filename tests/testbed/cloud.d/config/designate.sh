# shellcheck shell=bash
# Designate, with a pool of two BIND 9 servers. Sourced, never run.

config_designate() {
  emit designate/designate.conf <<END
[DEFAULT]
use_stderr = true
host = $TESTBED_HOST
state_path = $DATA/designate
transport_url = $RABBIT_URL
quota_zones = 100000
quota_zone_recordsets = 100000
quota_zone_records = 100000
quota_recordset_records = 1000
quota_api_export_size = 100000
[storage:sqlalchemy]
connection = $(db_url designate)
[service:api]
auth_strategy = keystone
enable_host_header = true
enable_api_admin = true
enabled_extensions_admin = quotas, reports
api_base_uri = http://$IP:$DESIGNATE_PORT/
[service:central]
workers = 1
managed_resource_email = hostmaster@internal.test
[service:mdns]
workers = 1
threads = 50
listen = $IP:$MDNS_PORT
[service:producer]
workers = 1
[producer_task:worker_periodic_recovery]
# Zones in ERROR are tried again soon after a fault was mended.
interval = 15
[service:worker]
workers = 1
threads = 50
# The name servers are on this machine: ask them soon and often, for half a
# minute. delay + retries * (interval + timeout) = 46 s is also the age at which
# the periodic recovery takes up a zone that is stuck in PENDING.
poll_delay = 1
poll_retry_interval = 2
poll_max_retries = 15
poll_timeout = 1
[coordination]
backend_url = memcached://$IP:$MEMCACHED_PORT
$(authtoken designate)
$(common designate)
END
  emit_copy designate/api-paste.ini "$VENV/etc/designate/api-paste.ini"
  emit designate/pools.yaml <<END
- name: default
  description: two BIND 9 servers on this machine
  attributes: {}
  ns_records:
    - {hostname: ns1.internal.test., priority: 1}
    - {hostname: ns2.internal.test., priority: 2}
  nameservers:
    - {host: $IP, port: $NS1_PORT}
    - {host: $IP, port: $NS2_PORT}
  targets:
$(bind_target "$NS1_PORT" "$NS1_RNDC_PORT")
$(bind_target "$NS2_PORT" "$NS2_RNDC_PORT")
END
  emit_uwsgi designate-api designate designate.wsgi.api:application \
    "env = OS_DESIGNATE_CONFIG_DIR=$ETC/designate"
}

# bind_target PORT RNDC_PORT
bind_target() {
  cat <<END
    - type: bind9
      description: BIND 9 on port $1
      masters:
        - {host: $IP, port: $MDNS_PORT}
      options:
        host: $IP
        port: $1
        rndc_host: $IP
        rndc_port: $2
        rndc_bin_path: /usr/sbin/rndc
        rndc_key_file: $ETC/rndc/rndc.key
        clean_zonefile: true
END
}
