{{/* What may go out to where names are asked for. */}}
{{- define "oddlink.egressToNames" -}}
- ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
  to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
{{- end -}}

{{/* The same, and to brokers, and to the registry if there is one. */}}
{{- define "oddlink.egress" -}}
{{ include "oddlink.egressToNames" . }}
- ports:
    {{- range .Values.networkPolicy.brokers.ports | default (include "oddlink.brokerPorts" . | fromJsonArray) }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .Values.networkPolicy.brokers.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if .Values.registry.url }}
- ports:
    - { port: {{ include "oddlink.registryPort" . }}, protocol: TCP }
  {{- with .Values.networkPolicy.registry.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
