# shellcheck shell=bash
# Certificates and the administrator's kubeconfig. Sourced, never run.

KEY=(-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 3650)

# P-256 and v3 with SANs and key usages, so that strict clients (rustls) take them.
make_pki() {
  if [[ -e $PKI/complete ]]; then return 0; fi
  rm -rf "$PKI"
  mkdir -m 700 "$PKI"
  authority ca
  authority proxy-ca # of its own: whom it vouches for may speak for anybody
  issue ca server /CN=kube-apiserver extendedKeyUsage=serverAuth \
    subjectAltName=IP:127.0.0.1,IP:::1,IP:$SERVICES.1,DNS:localhost,DNS:kubernetes.default.svc,DNS:crd-apiserver.kube-system.svc
  issue ca kubelet-client /O=system:masters/CN=kube-apiserver extendedKeyUsage=clientAuth
  issue proxy-ca aggregator /CN=aggregator extendedKeyUsage=clientAuth
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/sa.key"
  openssl ec -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub"
  printf '%s,admin,admin,"system:masters"\n' "$(openssl rand -hex 16)" >"$PKI/tokens.csv"
  touch "$PKI/complete"
}

authority() {
  openssl req -x509 "${KEY[@]}" -keyout "$PKI/$1.key" -out "$PKI/$1.crt" -subj "/CN=testbed-$1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# issue AUTHORITY NAME SUBJECT EXTENSION...
issue() {
  local authority=$1 name=$2 subject=$3
  shift 3
  openssl req -new "${KEY[@]}" -keyout "$PKI/$name.key" -out "$PKI/$name.csr" -subj "$subject"
  openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/$authority.crt" -CAkey "$PKI/$authority.key" \
    -CAcreateserial -days 3650 -out "$PKI/$name.crt" -extfile <(
      printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature "$@"
    )
}

# kubeconfig USER TOKEN SERVER CA-AS-BASE64 NAMESPACE
kubeconfig() {
  cat <<END
apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster:
    server: $3
    certificate-authority-data: $4
users:
- name: $1
  user:
    token: $2
contexts:
- name: $1
  context: {cluster: testbed, user: $1, namespace: $5}
current-context: $1
END
}

write_admin_kubeconfig() {
  local token
  token=$(cut -d, -f1 "$PKI/tokens.csv")
  (umask 077 && kubeconfig admin "$token" "https://127.0.0.1:$(port_of kube-apiserver)" \
    "$(base64 -w0 "$PKI/ca.crt")" default >"$ADMIN.new")
  mv "$ADMIN.new" "$ADMIN"
}
