# shellcheck shell=bash
# The tables of each service's database. Sourced, never run.

keystone_manage() { "$BIN/keystone-manage" --config-file "$ETC/keystone/keystone.conf" "$@"; }
nova_manage() { "$BIN/nova-manage" --config-file "$ETC/nova/nova.conf" "$@"; }
designate_manage() { "$BIN/designate-manage" --config-file "$ETC/designate/designate.conf" "$@"; }

schema_keystone() {
  mkdir -p "$DATA"/keystone/{fernet-keys,credential-keys} &&
    chmod 700 "$DATA"/keystone/*-keys &&
    keystone_manage db_sync &&
    keystone_manage fernet_setup --keystone-user root --keystone-group root &&
    keystone_manage credential_setup --keystone-user root --keystone-group root &&
    keystone_manage bootstrap --bootstrap-password "$TESTBED_PASSWORD" \
      --bootstrap-region-id "$TESTBED_REGION" --bootstrap-admin-url "$KEYSTONE_URL" \
      --bootstrap-internal-url "$KEYSTONE_URL" --bootstrap-public-url "$KEYSTONE_URL"
}

schema_nova() {
  nova_manage api_db sync &&
    nova_manage cell_v2 map_cell0 --database_connection "$(db_url nova_cell0)" &&
    nova_manage db sync && # cell0 as mapped, and cell1
    { nova_manage cell_v2 list_cells | grep -q cell1 ||
      nova_manage cell_v2 create_cell --name cell1 \
        --database_connection "$(db_url nova_cell1)" --transport-url "$RABBIT_URL"; }
}

schema_neutron() {
  "$BIN/neutron-db-manage" --config-file "$ETC/neutron/neutron.conf" \
    --config-file "$ETC/neutron/ml2_conf.ini" upgrade head
}

schema_glance() { "$BIN/glance-manage" --config-file "$ETC/glance/glance-api.conf" db_sync; }
schema_placement() { "$BIN/placement-manage" --config-file "$ETC/placement/placement.conf" db sync; }
schema_designate() { designate_manage database sync; }
schema_heat() { "$BIN/heat-manage" --config-file "$ETC/heat/heat.conf" db_sync; }

# Side by side: most of their time is spent in Python's imports.
make_schemas() {
  local service job jobs=()
  for service in keystone neutron nova glance placement designate heat; do
    once "schema-$service" "schema_$service" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || exit 1; done
}
