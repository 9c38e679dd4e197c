{{/*
The template of a component's pods: (dict "root" $ "component" NAME "values" ITS VALUES "args" LIST).
*/}}
{{- define "oddlink.podTemplate" -}}
{{- $values := .root.Values -}}
{{- $console := and (eq .component "worker") $values.console.enabled -}}
{{- $gpu := and (eq .component "trainer") $values.trainer.gpu.enabled -}}
metadata:
  labels:
    {{- include "oddlink.labels" . | nindent 4 }}
    # Has a management listener: the Job and the test pod have none.
    oddlink.management: "true"
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A setting that changed reaches no process that runs: new pods have to be made.
    checksum/config: {{ include "oddlink.settings" .root | sha256sum }}
    {{- with merge (dict) .values.podAnnotations $values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "oddlink.podSecurity" .root | nindent 2 }}
  serviceAccountName: {{ include "oddlink.serviceAccountName" .root }}
  terminationGracePeriodSeconds: {{ include "oddlink.graceSeconds" . }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if and $gpu $values.trainer.gpu.runtimeClassName }}
  runtimeClassName: {{ $values.trainer.gpu.runtimeClassName }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "oddlink.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        {{- toYaml (concat .args .values.extraArgs) | nindent 8 }}
      env:
        {{- include "oddlink.environment" . | nindent 8 }}
        {{- with .values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: management
          containerPort: {{ $values.management.port }}
          protocol: TCP
        {{- if $console }}
        - name: console
          containerPort: {{ $values.console.port }}
          protocol: TCP
        {{- end }}
      startupProbe:
        httpGet: { path: /healthz, port: management }
        {{- toYaml .values.startupProbe | nindent 8 }}
      readinessProbe:
        httpGet: { path: /readyz, port: management }
        {{- toYaml .values.readinessProbe | nindent 8 }}
      livenessProbe:
        httpGet: { path: /healthz, port: management }
        {{- toYaml .values.livenessProbe | nindent 8 }}
      {{- $resources := deepCopy .values.resources }}
      {{- if $gpu }}
      {{- $limits := merge (dict $values.trainer.gpu.resourceName ($values.trainer.gpu.count | int)) ($resources.limits | default dict) }}
      {{- $_ := set $resources "limits" $limits }}
      {{- end }}
      resources:
        {{- toYaml $resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      volumeMounts:
        {{- include "oddlink.volumeMounts" . | nindent 8 }}
  volumes:
    {{- $configMap := include "oddlink.fullname" .root }}
    {{- include "oddlink.volumes" (dict "root" .root "values" .values "configMap" $configMap) | nindent 4 }}
  {{- include "oddlink.placement" . | nindent 2 }}
{{- end -}}

{{/* What the restricted Pod Security Standard asks for, and a little more. */}}
{{- define "oddlink.podSecurity" -}}
automountServiceAccountToken: false
# A Service called "oddlink" would put ODDLINK_SERVICE_HOST and the like into every pod of the namespace, and the program
# refuses a variable with its prefix that is no setting.
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "oddlink.placement" -}}
{{- $gpu := dict -}}
{{- if and (eq .component "trainer") .root.Values.trainer.gpu.enabled -}}
{{- $gpu = .root.Values.trainer.gpu -}}
{{- end -}}
{{- with merge (dict) ($gpu.nodeSelector | default dict) .values.nodeSelector -}}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .values.tolerations ($gpu.tolerations | default list) }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "matchLabels" (include "oddlink.selectorLabels" $ | fromYaml) }}
  {{- range . }}
  {{- /* Pods of the revision before are on their way out, and no reason to be elsewhere. */}}
  {{- $defaults := dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash") }}
  {{- list (merge (dict) . (ternary (dict) $defaults (hasKey . "labelSelector"))) | toYaml | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Recreate takes no further settings, and those of the default would be left over. */}}
{{- define "oddlink.strategy" -}}
{{- toYaml (ternary (omit . "rollingUpdate") . (eq .type "Recreate")) -}}
{{- end -}}
