# The operator's image, for amd64 and arm64 alike: docker, podman or buildah build it from this folder.
ARG RUST=rust:1.95-slim-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST} AS build
ARG PROFILE=dist
WORKDIR /source
COPY . .
# Cargo tells what changed by its time, and a file of another checkout may be older than what is in the cache.
RUN --mount=type=cache,sharing=locked,target=/usr/local/cargo/registry \
    --mount=type=cache,sharing=locked,target=/target \
    find src scenarios -exec touch {} + && \
    cargo install --locked --path . --root /out --no-track \
      --all-features --profile "${PROFILE}" --target-dir "/target/$(uname -m)"

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tempest-operator" \
      org.opencontainers.image.description="Proves that an OpenStack cloud's services work together, from Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out/bin/tempest-operator /usr/local/bin/tempest-operator
COPY LICENSE /licenses/LICENSE
# By number, so that Kubernetes sees that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/tempest-operator"]
