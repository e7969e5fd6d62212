# shellcheck shell=bash
# Stand-ins for the bases that the Dockerfile names, made of Debian's packages. Sourced, never run.

install_tools() {
  local need=() program
  for program in buildah mmdebstrap podman runc; do command -v "$program" >/dev/null || need+=("$program"); done
  command -v rustc >/dev/null || die "there is no rustc"
  if ((${#need[@]} == 0)); then return 0; fi
  say "apt-get install ${need[*]}"
  logged setup-apt apt_install "${need[@]}"
}

make_bases() {
  local rust base
  rust=$(base_of_dockerfile RUST)
  base=$(base_of_image)
  if ! has_image "$rust"; then
    say "making a stand-in for $rust"
    logged make-rust make_rust "$rust"
  fi
  if ! has_image "$base"; then
    say "making a stand-in for $base"
    logged make-base make_base "$base"
  fi
}

has_image() { store buildah inspect --type image "$1" >/dev/null 2>&1; }

# commit_tar ARCHIVE REFERENCE SETTING...
commit_tar() {
  local tar=$1 reference=$2 container
  shift 2
  container=$(store buildah from scratch)
  store buildah add --quiet "$container" "$tar" /
  store buildah config "$@" "$container"
  store buildah commit --quiet --rm "$container" "$reference"
  rm -f "$tar"
}

# What links and compiles C; the toolchain itself is mounted when it is used.
make_rust() {
  mmdebstrap --quiet --variant=minbase --include=gcc,libc6-dev,ca-certificates bookworm "$TMPDIR/rust.tar"
  commit_tar "$TMPDIR/rust.tar" "$1" --env CARGO_HOME=/usr/local/cargo \
    --env "PATH=$TOOLCHAIN/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

# Distroless: the packages' files, no program, no shell, and the user `nonroot`.
make_base() {
  local root
  root=$(mktemp -d)
  chmod 755 "$root"
  unpack "$root" apt-get download -q -o APT::Sandbox::User=root \
    base-files ca-certificates libc6 libgcc-s1 libgomp1 libssl3 libstdc++6 netbase tzdata
  mkdir -p "$root/etc/ssl/certs" "$root/home/nonroot" "$root/tmp"
  chmod 1777 "$root/tmp"
  chown 65532:65532 "$root/home/nonroot"
  cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$root"/usr/share/{doc,man,locale,lintian,bug} "$root"/usr/{bin,sbin} "$root"/{bin,sbin}
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin \
    nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$root/etc/passwd"
  printf '%s\n' root:x:0: nobody:x:65534: nonroot:x:65532: >"$root/etc/group"
  tar -C "$root" --numeric-owner -cf "$TMPDIR/base.tar" .
  rm -rf "$root"
  commit_tar "$TMPDIR/base.tar" "$1" --user 65532 --workingdir /home/nonroot \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
}
