# shellcheck shell=bash disable=SC2034
# What every part of the test cloud needs to know: folders, ports, names.
# Sourced, never run. Anything written ": ${X:=...}" may be set from outside.

: "${TESTBED_PYTHON:=python3}"      # Python >= 3.11 that makes the venv
: "${TESTBED_PASSWORD:=secret}"     # every password of this cloud
: "${TESTBED_REGION:=RegionOne}"
: "${TESTBED_HOST:=testbed}"        # host name under which the services register
: "${TESTBED_THREADS:=8}"           # request threads of each API but Keystone
: "${TESTBED_KEYSTONE_PROCESSES:=3}"
: "${TESTBED_ZONE_SUFFIX:=example.test.}"

# Infrastructure ports are off the defaults, so that they do not meet another
# MariaDB, RabbitMQ or BIND of the same machine.
IP=127.0.0.1
: "${MARIADB_PORT:=13306}"
: "${RABBIT_PORT:=13672}"
: "${RABBIT_DIST_PORT:=13673}"
: "${EPMD_PORT:=14369}"
: "${MEMCACHED_PORT:=13211}"
: "${NS1_PORT:=5300}"
: "${NS2_PORT:=5301}"
: "${NS1_RNDC_PORT:=5953}"
: "${NS2_RNDC_PORT:=5954}"
: "${MDNS_PORT:=5354}"
: "${KEYSTONE_PORT:=5000}"
: "${GLANCE_PORT:=9292}"
: "${PLACEMENT_PORT:=8778}"
: "${NOVA_PORT:=8774}"
: "${NEUTRON_PORT:=9696}"
: "${DESIGNATE_PORT:=9001}"
: "${HEAT_PORT:=8004}"
: "${CLOSED_PORT:=9}"               # nothing listens here: a service that is gone

NAMESERVERS=$IP:$NS1_PORT,$IP:$NS2_PORT
KEYSTONE_URL=http://$IP:$KEYSTONE_PORT/v3
RABBIT_URL=rabbit://testbed:$TESTBED_PASSWORD@$IP:$RABBIT_PORT/

CLOUD_DIR=${TEMPEST_TESTBED_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tempest-operator/testbed}/cloud
VENV=$CLOUD_DIR/venv     # kept by "purge": it depends on nothing but the pins
BIN=$VENV/bin
RUN=$CLOUD_DIR/run     # one cloud: everything below goes with "purge"
ETC=$RUN/etc
LOG=$RUN/log
PID=$RUN/pid
DATA=$RUN/data
STAMP=$RUN/stamp
BROKEN=$RUN/broken       # one empty file for each fault that is switched on
MYSQL_SOCK=$DATA/mysql.sock
CLOUDS_YAML=$CLOUD_DIR/clouds.yaml

INFRASTRUCTURE=(mariadb epmd rabbitmq memcached named1 named2)
APIS=(keystone placement-api glance-api neutron-api designate-api nova-api heat-api)
WORKERS=(designate-central designate-mdns designate-worker designate-producer
  nova-conductor nova-scheduler nova-compute heat-engine)
SERVICES=("${INFRASTRUCTURE[@]}" "${APIS[@]}" "${WORKERS[@]}")
FAULTS=(ptr ns2 axfr designate-worker designate-endpoint)

# bootstrap.py runs in the venv and reads these.
export IP CLOUDS_YAML KEYSTONE_URL CLOSED_PORT RABBIT_PORT GLANCE_PORT PLACEMENT_PORT \
  NOVA_PORT NEUTRON_PORT DESIGNATE_PORT HEAT_PORT \
  TESTBED_PASSWORD TESTBED_REGION

# api_port API: the port that it listens on.
api_port() {
  case $1 in
    keystone) echo "$KEYSTONE_PORT" ;;
    placement-api) echo "$PLACEMENT_PORT" ;;
    glance-api) echo "$GLANCE_PORT" ;;
    neutron-api) echo "$NEUTRON_PORT" ;;
    designate-api) echo "$DESIGNATE_PORT" ;;
    nova-api) echo "$NOVA_PORT" ;;
    heat-api) echo "$HEAT_PORT" ;;
  esac
}
