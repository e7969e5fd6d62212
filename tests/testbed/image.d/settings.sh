# shellcheck shell=bash disable=SC2034
# Where images are kept, and by what they are made. Sourced, never run.

IMAGE=localhost/tempest-operator:testbed
TOOLCHAIN=/usr/local/toolchain       # where the builder's stand-in finds Rust

IMAGE_DIR=${TEMPEST_TESTBED_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tempest-operator/testbed}/image
IMAGE_DIR=$(realpath -m "$IMAGE_DIR")
LOG=$IMAGE_DIR/log
export TMPDIR=$IMAGE_DIR/tmp         # buildah keeps the cache mounts in it
export BUILDAH_ISOLATION=chroot      # needs no network set up, and no more rights than we have

# store PROGRAM ARGUMENT...: buildah or podman with images of our own, apart from the user's.
store() {
  local program=$1
  shift
  "$program" --root "$IMAGE_DIR/store" --runroot "$IMAGE_DIR/run" --storage-driver overlay "$@"
}

# base_of_dockerfile ARGUMENT: what the Dockerfile's ARG is by default.
base_of_dockerfile() { sed -n "s/^ARG $1=//p" "$SOURCE/Dockerfile"; }
base_of_image() { base_of_dockerfile BASE; }
