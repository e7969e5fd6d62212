# shellcheck shell=bash
# What the configuration files of several services share. Sourced, never run.

# emit PATH: standard input becomes $ETC/PATH; an unchanged file keeps its
# time stamp, for a service older than its configuration is restarted.
emit() {
  local file=$ETC/$1 text
  text=$(cat)
  if [[ -e $file && $(<"$file") == "$text" ]]; then return 0; fi
  mkdir -p "${file%/*}"
  printf '%s\n' "$text" >"$file"
}

# emit_copy PATH SOURCE
emit_copy() { emit "$1" <"$2"; }

db_url() { echo "mysql+pymysql://testbed:$TESTBED_PASSWORD@$IP:$MARIADB_PORT/$1?charset=utf8mb4"; }

# password_auth USER: how a service logs in, in any section that wants it.
password_auth() {
  cat <<END
auth_type = password
auth_url = $KEYSTONE_URL
username = $1
password = $TESTBED_PASSWORD
user_domain_name = Default
END
}

service_auth() {
  password_auth "$1"
  cat <<END
project_name = service
project_domain_name = Default
END
}

# authtoken USER: how an API checks the tokens that it is given.
authtoken() {
  cat <<END
[keystone_authtoken]
www_authenticate_uri = $KEYSTONE_URL
memcached_servers = $IP:$MEMCACHED_PORT
service_token_roles = service
service_token_roles_required = true
$(service_auth "$1")
END
}

# common SERVICE: the sections that all of them have.
common() {
  mkdir -p "$DATA/$1/lock"
  cat <<END
[oslo_messaging_notifications]
driver = noop
[oslo_concurrency]
lock_path = $DATA/$1/lock
[oslo_middleware]
enable_proxy_headers_parsing = true
END
}

# emit_uwsgi API FOLDER MODULE [LINE...]: each API is one uWSGI process with a
# few threads that speaks plain HTTP. Lines that are given win.
emit_uwsgi() {
  local api=$1 folder=$2 module=$3
  shift 3
  emit "$folder/uwsgi.ini" <<END
[uwsgi]
http-socket = $IP:$(api_port "$api")
module = $module
home = $VENV
master = true
processes = 1
threads = $TESTBED_THREADS
enable-threads = true
lazy-apps = true
need-app = true
die-on-term = true
exit-on-reload = true
buffer-size = 65535
add-header = Connection: close
log-date = true
$(printf '%s\n' "$@")
END
}
