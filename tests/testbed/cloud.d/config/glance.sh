# shellcheck shell=bash
# Glance, with images in plain files. Sourced, never run.

config_glance() {
  mkdir -p "$DATA"/glance/{images,staging,tasks}
  emit glance/glance-api.conf <<END
[DEFAULT]
enabled_backends = file:file
enabled_import_methods = [glance-direct]
use_stderr = true
[database]
connection = $(db_url glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $DATA/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $DATA/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $DATA/glance/tasks
[paste_deploy]
flavor = keystone
config_file = $ETC/glance/glance-api-paste.ini
$(authtoken glance)
$(common glance)
END
  emit_copy glance/glance-api-paste.ini "$VENV/etc/glance/glance-api-paste.ini"
  emit_uwsgi glance-api glance glance.wsgi.api:application \
    "env = OS_GLANCE_CONFIG_DIR=$ETC/glance" "http-chunked-input = true"
}
