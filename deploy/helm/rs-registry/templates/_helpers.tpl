{{- define "rs-registry.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "rs-registry.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rs-registry.labels" -}}
{{ include "rs-registry.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* The name that leads to a pod, whether it is ready or not, whatever its address is. Takes (list $ NUMBER). */}}
{{- define "rs-registry.peerAddr" -}}
{{- $root := index . 0 -}}
{{- $fullname := include "rs-registry.fullname" $root -}}
{{- printf "%s-%d.%s-peers.%s.svc.%s:9761" $fullname (index . 1 | int) $fullname $root.Release.Namespace $root.Values.clusterDomain -}}
{{- end -}}

{{/* What contradicts itself is refused here, where a person reads it, and not by the pods. */}}
{{- define "rs-registry.check" -}}
{{- if lt (int .Values.replicas) (int .Values.foundingReplicas) -}}
{{- fail "replicas is below foundingReplicas: remove the nodes (rs-registry cluster remove ID), and never change foundingReplicas" -}}
{{- end -}}
{{- $secured := and .Values.tls.clientSecret .Values.tls.peerSecret .Values.auth.secret -}}
{{- if not (or .Values.insecure $secured) -}}
{{- fail "give tls.clientSecret, tls.peerSecret and auth.secret, or insecure=true for a network where everybody may read and write" -}}
{{- end -}}
{{- $ids := list -}}
{{- range $number := untilStep 1 (int .Values.replicas | add1 | int) 1 -}}
{{- $ids = append $ids (int (get (get $.Values.replacements (toString $number) | default dict) "nodeId" | default $number)) -}}
{{- end -}}
{{- if ne (len $ids) (len (uniq $ids)) -}}
{{- fail (printf "replacements gives an id to two nodes: %v" $ids) -}}
{{- end -}}
{{- end -}}

{{/* The settings that all nodes have alike. */}}
{{- define "rs-registry.settings" -}}
cluster_name = {{ .Values.clusterName | toJson }}
http_addr = "{{ .Values.listenHost }}:8761"
peer_listen_addr = "{{ .Values.listenHost }}:9761"
{{- if .Values.insecure }}
insecure = true
{{- end }}
{{- if .Values.tls.clientSecret }}
tls_cert_file = "/etc/rs-registry/client/tls.crt"
tls_key_file = "/etc/rs-registry/client/tls.key"
{{- end }}
{{- if .Values.tls.peerSecret }}
peer_tls_cert_file = "/etc/rs-registry/peer/tls.crt"
peer_tls_key_file = "/etc/rs-registry/peer/tls.key"
peer_tls_ca_file = "/etc/rs-registry/peer/ca.crt"
{{- end }}
{{- if .Values.auth.secret }}
auth_file = "/etc/rs-registry/auth/auth.toml"
{{- end }}
{{- range $key, $value := .Values.settings }}
{{ $key }} = {{ $value | toJson }}
{{- end }}
{{- end -}}
