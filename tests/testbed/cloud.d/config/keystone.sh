# shellcheck shell=bash
# Keystone. Sourced, never run.

config_keystone() {
  emit keystone/keystone.conf <<END
[DEFAULT]
use_stderr = true
[database]
connection = $(db_url keystone)
[token]
provider = fernet
[identity]
# Every service logs in over and over; a bcrypt of 12 rounds costs 0.25 s of
# CPU each time, and these passwords guard nothing.
password_hash_rounds = 4
[fernet_tokens]
key_repository = $DATA/keystone/fernet-keys
[credential]
key_repository = $DATA/keystone/credential-keys
[cache]
enabled = true
backend = oslo_cache.memcache_pool
memcache_servers = $IP:$MEMCACHED_PORT
$(common keystone)
END
  # Keystone keeps the token of the request in hand in its middleware itself
  # (AuthContextMiddleware.token), so that of two threads one is now and then
  # judged by the other's token: processes, and no threads.
  emit_uwsgi keystone keystone keystone.wsgi.api:application \
    "env = OS_KEYSTONE_CONFIG_DIR=$ETC/keystone" \
    "processes = $TESTBED_KEYSTONE_PROCESSES" "threads = 1"
}
