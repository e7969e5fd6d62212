# shellcheck shell=bash
# MariaDB, RabbitMQ, memcached, BIND 9. Sourced, never run.

sql() { mariadb --no-defaults -S "$MYSQL_SOCK" -uroot; } # from standard input

mariadb_answers() { sql <<<'select 1'; }

tcp_open() { (: <"/dev/tcp/$IP/$1") 2>/dev/null; }

# rndc_to named1|named2 COMMAND...
rndc_to() {
  local port=$NS1_RNDC_PORT
  [[ $1 == named1 ]] || port=$NS2_RNDC_PORT
  shift
  rndc -s "$IP" -p "$port" -k "$ETC/rndc/rndc.key" "$@"
}

# eatmydata drops every fsync: the thousands of statements of the database
# migrations are several times quicker, and a test cloud may lose data.
make_mariadb() {
  eatmydata mariadb-install-db --no-defaults --user=root --datadir="$DATA/mysql" \
    --auth-root-authentication-method=normal --skip-test-db
}

start_mariadb() {
  start mariadb eatmydata /usr/sbin/mariadbd --no-defaults --user=root \
    --datadir="$DATA/mysql" --socket="$MYSQL_SOCK" --pid-file="$DATA/mysql.pid" \
    --bind-address="$IP" --port="$MARIADB_PORT" --skip-name-resolve \
    --max-connections=1000 --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=0 \
    --character-set-server=utf8mb4
}

# epmd, the node's distribution port and AMQP all stay on loopback; Erlang's
# schedulers do not spin while they wait, which costs a small machine dearly.
# epmd is started here because RabbitMQ would start one that outlives it.
start_rabbitmq() {
  start epmd epmd -address "$IP" -port "$EPMD_PORT"
  await epmd 10 tcp_open "$EPMD_PORT"
  start rabbitmq eatmydata env HOME="$DATA/rabbitmq" \
    ERL_EPMD_ADDRESS="$IP" ERL_EPMD_PORT="$EPMD_PORT" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_NODENAME=testbed@localhost \
    RABBITMQ_DIST_PORT="$RABBIT_DIST_PORT" \
    RABBITMQ_MNESIA_BASE="$DATA/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$LOG" RABBITMQ_LOGS=- \
    RABBITMQ_CONFIG_FILE="$ETC/rabbitmq/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq/enabled_plugins" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}

make_databases() {
  local database
  {
    echo "create user if not exists testbed@'%' identified by '$TESTBED_PASSWORD';"
    for database in keystone glance placement nova_api nova_cell0 nova_cell1 neutron designate heat; do
      echo "create database if not exists $database character set utf8mb4;"
      echo "grant all on $database.* to testbed@'%';"
    done
  } | sql
}

start_infrastructure() {
  local server
  once mariadb make_mariadb
  start_mariadb
  start memcached memcached -u root -l "$IP" -p "$MEMCACHED_PORT" -U 0 -m 64
  for server in named1 named2; do
    start "$server" /usr/sbin/named -f -4 -n 1 -c "$ETC/$server/named.conf"
  done
  start_rabbitmq
  await mariadb 60 mariadb_answers
  once databases make_databases
  await memcached 20 tcp_open "$MEMCACHED_PORT"
  for server in named1 named2; do await "$server" 20 rndc_to "$server" status; done
  await rabbitmq 90 tcp_open "$RABBIT_PORT"
}
