{{/* Where things are mounted in every pod. */}}
{{- define "oddlink.tlsFolder" -}}/etc/oddlink/tls{{- end -}}
{{- define "oddlink.saslFolder" -}}/etc/oddlink/sasl{{- end -}}

{{/* The configuration file: `config`, and what other values say. Secrets are in the environment, or in files that it names. */}}
{{- define "oddlink.settings" -}}
{{- $kafka := dict "brokers" .Values.kafka.brokers -}}
{{- with .Values.kafka.sasl.mechanism -}}
{{- $sasl := dict "mechanism" . -}}
{{- if eq . "oauthbearer" -}}
{{- $_ := set $sasl "tokenFile" (printf "%s/token" (include "oddlink.saslFolder" $)) -}}
{{- end -}}
{{- $_ := set $kafka "sasl" $sasl -}}
{{- end -}}
{{- if .Values.kafka.tls.enabled -}}
{{- $ssl := dict "enabled" true -}}
{{- with .Values.kafka.tls.serverName }}{{ $_ := set $ssl "serverName" . }}{{ end -}}
{{- if .Values.kafka.tls.ca.existingSecret -}}
{{- $_ := set $ssl "caFile" (printf "%s/ca.crt" (include "oddlink.tlsFolder" .)) -}}
{{- end -}}
{{- if .Values.kafka.tls.client.existingSecret -}}
{{- $_ := set $ssl "certFile" (printf "%s/tls.crt" (include "oddlink.tlsFolder" .)) -}}
{{- $_ := set $ssl "keyFile" (printf "%s/tls.key" (include "oddlink.tlsFolder" .)) -}}
{{- end -}}
{{- $_ := set $kafka "ssl" $ssl -}}
{{- end -}}
{{- $own := dict "kafka" $kafka -}}
{{- with .Values.registry.url -}}
{{- $_ := set $own "input" (dict "registry" (dict "url" .)) -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite (deepCopy .Values.config) $own) -}}
{{- end -}}

{{/* Seconds that a stop may take: `config.kafka.drainMs`, rounded up. */}}
{{- define "oddlink.drainSeconds" -}}
{{- $ms := dig "kafka" "drainMs" 10000 .Values.config | int -}}
{{- div (add $ms 999) 1000 -}}
{{- end -}}

{{/* After the drain a worker leaves its group (5 s at most) and closes its connections. */}}
{{- define "oddlink.graceSecondsMin" -}}
{{- add (include "oddlink.drainSeconds" . | int) 10 -}}
{{- end -}}

{{- define "oddlink.graceSeconds" -}}
{{- if kindIs "invalid" .values.terminationGracePeriodSeconds -}}
{{- add (include "oddlink.drainSeconds" .root | int) 20 -}}
{{- else -}}
{{- .values.terminationGracePeriodSeconds | int -}}
{{- end -}}
{{- end -}}

{{- define "oddlink.loginsTopic" -}}
{{- $prefix := dig "kafka" "topicPrefix" "oddlink." .Values.config -}}
{{- dig "kafka" "topics" "logins" (printf "%slogins" $prefix) .Values.config -}}
{{- end -}}

{{- define "oddlink.consumerGroup" -}}
{{- dig "kafka" "group" "oddlink" .Values.config -}}
{{- end -}}

{{/* Ports of `kafka.brokers`, each once, as a list in JSON. */}}
{{- define "oddlink.brokerPorts" -}}
{{- $ports := list -}}
{{- range .Values.kafka.brokers -}}
{{- $ports = append $ports (regexFind "[0-9]+$" . | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{/* The port of `registry.url`, or the one that its scheme stands for. */}}
{{- define "oddlink.registryPort" -}}
{{- $url := urlParse .Values.registry.url -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}
