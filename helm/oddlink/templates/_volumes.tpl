{{/* (dict "root" $ "values" COMPONENT "configMap" NAME) */}}
{{- define "oddlink.volumes" -}}
{{- $kafka := .root.Values.kafka -}}
- name: config
  configMap:
    name: {{ .configMap }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.tmpSizeLimit }}
{{- if include "oddlink.hasTlsFiles" .root }}
- name: tls
  projected:
    # Read by the group of the pod, by nobody else.
    defaultMode: 0440
    sources:
      {{- with $kafka.tls.ca }}
      {{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items:
            - { key: {{ .key | quote }}, path: ca.crt }
      {{- end }}
      {{- end }}
      {{- with $kafka.tls.client }}
      {{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items:
            - { key: {{ .certKey | quote }}, path: tls.crt }
            - { key: {{ .keyKey | quote }}, path: tls.key }
      {{- end }}
      {{- end }}
{{- end }}
{{- if eq $kafka.sasl.mechanism "oauthbearer" }}
- name: sasl
  secret:
    secretName: {{ $kafka.sasl.existingSecret }}
    defaultMode: 0440
    items:
      - { key: {{ $kafka.sasl.tokenKey | quote }}, path: token }
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "oddlink.volumeMounts" -}}
- name: config
  mountPath: /etc/oddlink/config
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if include "oddlink.hasTlsFiles" .root }}
- name: tls
  mountPath: {{ include "oddlink.tlsFolder" . }}
  readOnly: true
{{- end }}
{{- if eq .root.Values.kafka.sasl.mechanism "oauthbearer" }}
- name: sasl
  mountPath: {{ include "oddlink.saslFolder" . }}
  readOnly: true
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Not empty if there is. */}}
{{- define "oddlink.hasTlsFiles" -}}
{{- with .Values.kafka.tls -}}
{{- if and .enabled (or .ca.existingSecret .client.existingSecret) -}}yes{{- end -}}
{{- end -}}
{{- end -}}
