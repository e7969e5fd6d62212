{{/* What the release is called. */}}
{{- define "tempest-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What its objects are called; at most 50 characters, so that suffixes fit. */}}
{{- define "tempest-operator.fullname" -}}
{{- $name := include "tempest-operator.name" . }}
{{- $default := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $default .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "tempest-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tempest-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "tempest-operator.labels" -}}
{{ include "tempest-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "tempest-operator.serviceAccountName" -}}
{{- $default := ternary (include "tempest-operator.fullname" .) "default" .Values.serviceAccount.create }}
{{- default $default .Values.serviceAccount.name }}
{{- end }}

{{- define "tempest-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Who the operator is in clouds: what installation ids may look like, see controller.installation. */}}
{{- define "tempest-operator.installation" -}}
{{- $default := printf "%s-%s" .Release.Namespace .Release.Name | replace "." "-" }}
{{- if gt (len $default) 40 }}
{{- $default = printf "%s-%s" ($default | trunc 31) ($default | sha256sum | trunc 8) }}
{{- end }}
{{- default $default .Values.controller.installation }}
{{- end }}

{{/* The namespaces that are served, as a JSON list; empty: all. */}}
{{- define "tempest-operator.namespaces" -}}
{{- if and .Values.rbac.clusterWide .Values.watchNamespaces }}
{{- fail "watchNamespaces must be empty with rbac.clusterWide, which serves all namespaces: leave one of the two out" }}
{{- end }}
{{- if .Values.rbac.clusterWide }}[]{{ else }}{{ default (list .Release.Namespace) .Values.watchNamespaces | uniq | toJson }}{{ end }}
{{- end }}

{{/* The namespace of what belongs to the simulated cloud: one that is served. */}}
{{- define "tempest-operator.trialNamespace" -}}
{{- $namespaces := include "tempest-operator.namespaces" . | fromJsonArray }}
{{- if or (empty $namespaces) (has .Release.Namespace $namespaces) }}{{ .Release.Namespace }}{{ else }}{{ first $namespaces }}{{ end }}
{{- end }}

{{/* What the operator needs of a namespace that it serves, and nothing more. */}}
{{- define "tempest-operator.rules" -}}
- apiGroups: [crossservice.dev]
  resources: [tempestruns]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [crossservice.dev]
  resources: [tempestruns/status]
  verbs: [patch]
# To own a ConfigMap by a run whose owner reference blocks its deletion.
- apiGroups: [crossservice.dev]
  resources: [tempestruns/finalizers]
  verbs: [update]
- apiGroups: [crossservice.dev]
  resources: [tempestscenarios]
  verbs: [get, list, watch]
- apiGroups: [crossservice.dev]
  resources: [tempestscenarios/status]
  verbs: [patch]
- apiGroups: [crossservice.dev]
  resources: [tempestschedules]
  verbs: [get, list, watch]
- apiGroups: [crossservice.dev]
  resources: [tempestschedules/status]
  verbs: [patch]
# To own runs by a schedule whose owner reference blocks its deletion.
- apiGroups: [crossservice.dev]
  resources: [tempestschedules/finalizers]
  verbs: [update]
# Never listed or watched.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# The ledgers and reports.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, update, patch, delete]
{{- if .Values.jobs.enabled }}
# Runs in pods of their own: execution.executor: Job.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, create, delete]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What the pods of runs are called, and run as: execution.executor: Job. */}}
{{- define "tempest-operator.runName" -}}
{{ include "tempest-operator.fullname" . }}-run
{{- end }}

{{/* The namespaces in which pods of runs have their rights, as a JSON list. With rbac.clusterWide those of other
     namespaces are given them there, by the ClusterRole. */}}
{{- define "tempest-operator.runNamespaces" -}}
{{- include "tempest-operator.namespaces" . | fromJsonArray | default (list .Release.Namespace) | toJson }}
{{- end }}

{{/* What the pod of a run needs, and nothing more: it reads its run and the Secret that this names, and writes what it has
     to undo and how it goes. Nothing of the status. Kubernetes cannot tell names by their pattern. */}}
{{- define "tempest-operator.runRules" -}}
- apiGroups: [crossservice.dev]
  resources: [tempestruns]
  verbs: [get]
# To own a ConfigMap by a run whose owner reference blocks its deletion.
- apiGroups: [crossservice.dev]
  resources: [tempestruns/finalizers]
  verbs: [update]
- apiGroups: [crossservice.dev]
  resources: [tempestscenarios]
  verbs: [get, list]
# Never listed or watched.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# The ledger, the lease of the attempt, and what is told of it.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, update, patch, delete]
{{- end }}

{{- define "tempest-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "tempest-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What its objects of the cluster are called: releases of one name may be in several namespaces. */}}
{{- define "tempest-operator.clusterName" -}}
{{ .Release.Namespace }}-{{ include "tempest-operator.fullname" . }}
{{- end }}

{{/* What every pod of the chart has. */}}
{{- define "tempest-operator.podSpec" -}}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* What every container of the chart has. */}}
{{- define "tempest-operator.container" -}}
image: {{ include "tempest-operator.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{/* The spec of a run against the simulated cloud. */}}
{{- define "tempest-operator.trial" -}}
cloud:
  secretRef:
    name: {{ include "tempest-operator.fullname" . }}-simcloud
  primary: demo
  alternate: demo2
  zoneSuffix: example.test.
  publishedNetwork: published
  nameservers:
    - 127.0.0.1:{{ add .Values.simcloud.port 1 }}
    - 127.0.0.1:{{ add .Values.simcloud.port 2 }}
{{- end }}

{{/* These networks; of all addresses there are, without the link-local ones. */}}
{{- define "tempest-operator.blocks" -}}
{{- range . }}
- ipBlock:
    cidr: {{ . | quote }}
    {{- if eq . "0.0.0.0/0" }}
    except: [169.254.0.0/16]
    {{- else if eq . "::/0" }}
    except: ["fe80::/10"]
    {{- end }}
{{- end }}
{{- end }}

{{/* Whom a program that plays runs may reach. */}}
{{- define "tempest-operator.egress" -}}
# The cluster's DNS, which may be link-local (NodeLocal DNSCache), and the authoritative name servers of clouds, wherever
# they are.
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- range list .Values.networkPolicy.apiServer .Values.networkPolicy.openstack }}
- to:
    {{- include "tempest-operator.blocks" .cidrs | trim | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
