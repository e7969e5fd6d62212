# shellcheck shell=bash
# RabbitMQ and the two name servers. Sourced, never run.

config_rabbitmq() {
  mkdir -p "$DATA/rabbitmq"
  emit rabbitmq/rabbitmq.conf <<END
listeners.tcp.1 = $IP:$RABBIT_PORT
default_user = testbed
default_pass = $TESTBED_PASSWORD
loopback_users = none
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = warning
log.file = false
END
  emit rabbitmq/enabled_plugins <<<'[].'
}

config_name_servers() {
  mkdir -p "$ETC/rndc"
  [[ -e $ETC/rndc/rndc.key ]] ||
    rndc-confgen -a -A hmac-sha256 -k rndc-key -c "$ETC/rndc/rndc.key" >/dev/null 2>&1
  config_named named1 "$NS1_PORT" "$NS1_RNDC_PORT"
  config_named named2 "$NS2_PORT" "$NS2_RNDC_PORT" "$(if broken axfr; then axfr_refused; fi)"
}

# The second name server signs what it asks of Designate's mDNS with a key that
# nobody there knows, and is refused: it goes on answering for the zones that it
# has, and never learns anything new.
axfr_refused() {
  cat <<END
key "stranger" { algorithm hmac-sha256; secret "c3RyYW5nZXI="; };
server $IP { keys { "stranger"; }; };
END
}

# config_named NAME PORT RNDC_PORT [STATEMENT]
config_named() {
  mkdir -p "$DATA/$1"
  emit "$1/named.conf" <<END
include "$ETC/rndc/rndc.key";
controls { inet $IP port $3 allow { $IP; } keys { "rndc-key"; }; };
options {
  directory "$DATA/$1";
  pid-file "$DATA/$1/named.pid";
  session-keyfile "$DATA/$1/session.key";
  listen-on port $2 { $IP; };
  listen-on-v6 { none; };
  # Designate adds and removes the zones at run time with "rndc addzone".
  allow-new-zones yes;
  allow-query { $IP; };
  allow-notify { $IP; };
  allow-transfer { none; };
  recursion no;
  dnssec-validation no;
  notify no;
  minimal-responses yes;
  # A secondary that missed a NOTIFY tries again soon.
  min-retry-time 1; max-retry-time 10;
  min-refresh-time 5; max-refresh-time 60;
};
${4:-}
END
}
