{{/* Annotations of a hook, or none: (dict "isHook" BOOLEAN "weight" TEXT). What failed stays, to be looked at, until the next attempt. */}}
{{- define "oddlink.topicsHook" -}}
{{- if .isHook -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- else -}}
{}
{{- end -}}
{{- end -}}
