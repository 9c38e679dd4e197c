{{/* Settings that differ from component to component, and all secrets. (dict "root" $ "component" NAME) */}}
{{- define "oddlink.environment" -}}
{{- $values := .root.Values -}}
- name: ODDLINK_CONFIG
  value: /etc/oddlink/config/oddlink.yaml
{{- if ne .component "topics" }}
- name: ODDLINK_MANAGEMENT_HOST
  value: {{ $values.management.host | quote }}
- name: ODDLINK_MANAGEMENT_PORT
  value: {{ $values.management.port | quote }}
{{- end }}
{{- if eq .component "worker" }}
- name: ODDLINK_TRAINING_MODE
  value: {{ ternary "live" "off" (eq $values.trainer.mode "embedded") | quote }}
{{- end }}
{{- if and (eq .component "trainer") $values.trainer.gpu.enabled }}
- name: ODDLINK_TRAINING_BACKEND
  value: tfjs
- name: ODDLINK_TRAINING_DEVICE
  value: gpu
{{- end }}
{{- if and (eq .component "worker") $values.console.enabled }}
- name: ODDLINK_HTTP_ENABLED
  value: "true"
- name: ODDLINK_HTTP_HOST
  value: {{ $values.management.host | quote }}
- name: ODDLINK_HTTP_PORT
  value: {{ $values.console.port | quote }}
{{- with $values.console.trustedHeader }}
- name: ODDLINK_HTTP_TRUSTEDHEADER
  value: {{ . | quote }}
{{- end }}
{{- if $values.console.existingSecret }}
{{ include "oddlink.secretVariable" (list "ODDLINK_HTTP_TOKEN" $values.console.existingSecret $values.console.tokenKey) }}
{{- end }}
{{- else }}
- name: ODDLINK_HTTP_ENABLED
  value: "false"
{{- end }}
{{- $sasl := $values.kafka.sasl }}
{{- if and $sasl.mechanism (ne $sasl.mechanism "oauthbearer") }}
{{ include "oddlink.secretVariable" (list "ODDLINK_KAFKA_SASL_USERNAME" $sasl.existingSecret $sasl.usernameKey) }}
{{ include "oddlink.secretVariable" (list "ODDLINK_KAFKA_SASL_PASSWORD" $sasl.existingSecret $sasl.passwordKey) }}
{{- end }}
{{- $client := $values.kafka.tls.client }}
{{- if and $values.kafka.tls.enabled $client.existingSecret $client.keyPasswordKey }}
{{ include "oddlink.secretVariable" (list "ODDLINK_KAFKA_SSL_KEYPASSWORD" $client.existingSecret $client.keyPasswordKey) }}
{{- end }}
{{- $registry := $values.registry }}
{{- if and $registry.url $registry.existingSecret }}
{{- if eq $registry.auth "token" }}
{{ include "oddlink.secretVariable" (list "ODDLINK_INPUT_REGISTRY_TOKEN" $registry.existingSecret $registry.tokenKey) }}
{{- else }}
{{ include "oddlink.secretVariable" (list "ODDLINK_INPUT_REGISTRY_USERNAME" $registry.existingSecret $registry.usernameKey) }}
{{ include "oddlink.secretVariable" (list "ODDLINK_INPUT_REGISTRY_PASSWORD" $registry.existingSecret $registry.passwordKey) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* (list VARIABLE SECRET KEY) */}}
{{- define "oddlink.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end -}}
