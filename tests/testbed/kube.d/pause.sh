# shellcheck shell=bash
# The image of the container that holds a pod's namespaces. Sourced, never run.

PAUSE=$BIN/pause-1.tar
PAUSE_IMAGE=localhost/pause:1

# A static program that sleeps and collects orphans, as an archive like `docker save`'s, made by hand.
build_pause() {
  if [[ -s $PAUSE ]]; then return 0; fi
  logged build-pause compile_pause
}

compile_pause() {
  local dir layer config
  dir=$(mktemp -d)
  cat >"$dir/pause.c" <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int s) { (void)s; _exit(0); }
static void reap(int s) { (void)s; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) {
  struct sigaction a = {.sa_handler = end}, r = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  sigaction(SIGINT, &a, 0); sigaction(SIGTERM, &a, 0); sigaction(SIGCHLD, &r, 0);
  for (;;) pause();
}
C
  gcc -Os -static -s -o "$dir/pause" "$dir/pause.c"
  tar -C "$dir" --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$dir/layer.tar" pause
  layer=$(sha256sum "$dir/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","config":{"User":"65535:65535","Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$layer" >"$dir/config"
  config=$(sha256sum "$dir/config" | cut -d' ' -f1).json
  mv "$dir/config" "$dir/$config"
  printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$PAUSE_IMAGE" >"$dir/manifest.json"
  mkdir -p "${PAUSE%/*}"
  tar -C "$dir" -cf "$PAUSE.new" manifest.json "$config" layer.tar
  mv "$PAUSE.new" "$PAUSE"
  rm -rf "$dir"
}
