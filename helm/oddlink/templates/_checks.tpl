{{/* Each of these gives a list of sentences, in JSON: what is wrong, and what to do. */}}

{{- define "oddlink.problemsOfKafka" -}}
{{- $problems := list -}}
{{- $kafka := .Values.kafka -}}
{{- if not $kafka.brokers -}}
{{- $problems = append $problems "kafka.brokers is empty: say where the brokers are, such as --set kafka.brokers={kafka:9092}" -}}
{{- end -}}
{{- if and $kafka.sasl.mechanism (not $kafka.sasl.existingSecret) -}}
{{- $problems = append $problems (printf "kafka.sasl.existingSecret is empty: %s needs a Secret with its credentials" $kafka.sasl.mechanism) -}}
{{- end -}}
{{- if and $kafka.sasl.existingSecret (not $kafka.sasl.mechanism) -}}
{{- $problems = append $problems "kafka.sasl.existingSecret is set and kafka.sasl.mechanism is not: nothing would log in" -}}
{{- end -}}
{{- if not $kafka.tls.enabled -}}
{{- if or $kafka.tls.ca.existingSecret $kafka.tls.client.existingSecret $kafka.tls.serverName -}}
{{- $problems = append $problems "kafka.tls has settings and kafka.tls.enabled is false: connections would be in the clear" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.registry.existingSecret (not .Values.registry.url) -}}
{{- $problems = append $problems "registry.existingSecret is set and registry.url is not" -}}
{{- end -}}
{{- if and (regexMatch "^[a-z]+://[^/]*@" .Values.registry.url) -}}
{{- $problems = append $problems "registry.url holds credentials: put them into the Secret that registry.existingSecret names" -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "oddlink.problemsOfConfig" -}}
{{- $problems := list -}}
{{- range include "oddlink.secretPaths" (dict "value" .Values.config "path" "config") | trim | splitList "\n" -}}
{{- if . -}}
{{- $problems = append $problems (printf "%s is a secret, and a ConfigMap is none: name a Secret in kafka.sasl, kafka.tls, registry or console, or a file of extraVolumes" .) -}}
{{- end -}}
{{- end -}}
{{- $owned := list
  (list "kafka.brokers" "kafka.brokers") (list "kafka.sasl.mechanism" "kafka.sasl") (list "kafka.sasl.username" "kafka.sasl")
  (list "kafka.sasl.tokenFile" "kafka.sasl") (list "kafka.ssl" "kafka.tls") (list "input.registry.url" "registry")
  (list "input.registry.username" "registry") (list "http" "console") (list "management" "management")
  (list "training.mode" "trainer.mode") -}}
{{- range $owned -}}
{{- if include "oddlink.hasPath" (dict "value" $.Values.config "path" (index . 0)) -}}
{{- $problems = append $problems (printf "config.%s belongs to the value %s: set that instead" (index . 0) (index . 1)) -}}
{{- end -}}
{{- end -}}
{{- $backend := dig "training" "backend" "tfjs" .Values.config -}}
{{- if and (eq .Values.trainer.mode "deployment") .Values.trainer.gpu.enabled (ne $backend "tfjs") -}}
{{- $problems = append $problems (printf "config.training.backend is %s and trainer.gpu.enabled is true: a GPU is for tfjs" $backend) -}}
{{- end -}}
{{- if and .Values.normalizer.enabled (not (dig "normalize" "topics" list .Values.config)) -}}
{{- $problems = append $problems "normalizer.enabled is true and config.normalize.topics is empty: name the raw topics" -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "oddlink.problemsOfScale" -}}
{{- $problems := list -}}
{{- $worker := .Values.worker -}}
{{- $partitions := .Values.topics.partitions | int -}}
{{- if and $worker.autoscaling.enabled $worker.keda.enabled -}}
{{- $problems = append $problems "worker.autoscaling and worker.keda are both enabled: they would undo each other's work" -}}
{{- end -}}
{{- range $name, $scaler := dict "autoscaling" $worker.autoscaling "keda" $worker.keda -}}
{{- if $scaler.enabled -}}
{{- if gt ($scaler.maxReplicas | int) $partitions -}}
{{- $problems = append $problems (printf "worker.%s.maxReplicas is %d and topics.partitions is %d: more workers would have nothing to read" $name ($scaler.maxReplicas | int) $partitions) -}}
{{- end -}}
{{- if gt ($scaler.minReplicas | int) ($scaler.maxReplicas | int) -}}
{{- $problems = append $problems (printf "worker.%s.minReplicas is above maxReplicas" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (or $worker.autoscaling.enabled $worker.keda.enabled) -}}
{{- if gt ($worker.replicas | int) $partitions -}}
{{- $problems = append $problems (printf "worker.replicas is %d and topics.partitions is %d: more workers would have nothing to read" ($worker.replicas | int) $partitions) -}}
{{- end -}}
{{- end -}}
{{- if and $worker.autoscaling.enabled (not $worker.autoscaling.targetCPUUtilizationPercentage) (not $worker.autoscaling.metrics) -}}
{{- $problems = append $problems "worker.autoscaling has no metric: set targetCPUUtilizationPercentage or metrics" -}}
{{- end -}}
{{- if and $worker.keda.enabled (eq .Values.kafka.sasl.mechanism "oauthbearer") (not $worker.keda.authenticationRef) -}}
{{- $problems = append $problems "KEDA asks for tokens itself with oauthbearer: name a TriggerAuthentication of yours in worker.keda.authenticationRef" -}}
{{- end -}}
{{- range $name := list "worker" "normalizer" -}}
{{- $pdb := (index $.Values $name).pdb -}}
{{- if and $pdb.enabled (not (kindIs "invalid" $pdb.minAvailable)) (not (kindIs "invalid" $pdb.maxUnavailable)) -}}
{{- $problems = append $problems (printf "%s.pdb has both minAvailable and maxUnavailable: a budget takes one" $name) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "oddlink.problemsOfPods" -}}
{{- $problems := list -}}
{{- $graceSecondsMin := include "oddlink.graceSecondsMin" . | int -}}
{{- range $name := list "worker" "trainer" "canary" "normalizer" -}}
{{- $values := index $.Values $name -}}
{{- $graceSeconds := include "oddlink.graceSeconds" (dict "root" $ "values" $values) | int -}}
{{- if lt $graceSeconds $graceSecondsMin -}}
{{- $problems = append $problems (printf "%s.terminationGracePeriodSeconds is %d: with config.kafka.drainMs, at least %d, or a stop ends as a kill" $name $graceSeconds $graceSecondsMin) -}}
{{- end -}}
{{- $own := list -}}
{{- range include "oddlink.environment" (dict "root" $ "component" $name) | fromYamlArray -}}
{{- $own = append $own .name -}}
{{- end -}}
{{- range $values.extraEnv -}}
{{- if has .name $own -}}
{{- $problems = append $problems (printf "%s.extraEnv sets %s, which the chart sets too: use its value" $name .name) -}}
{{- end -}}
{{- if and .value (regexMatch "(PASSWORD|TOKEN|SECRET)$" (upper .name)) -}}
{{- $problems = append $problems (printf "%s.extraEnv sets %s in the clear: use valueFrom.secretKeyRef" $name .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "oddlink.problemsOfConsole" -}}
{{- $problems := list -}}
{{- with .Values.console -}}
{{- if and .enabled (not .existingSecret) (not .trustedHeader) -}}
{{- $problems = append $problems "console.enabled is true, and console.existingSecret and console.trustedHeader are empty: anybody could read alerts" -}}
{{- end -}}
{{- if and .enabled .trustedHeader (not (and $.Values.networkPolicy.enabled .from)) -}}
{{- $problems = append $problems "console.trustedHeader is believed of whoever connects: set networkPolicy.enabled, and console.from to the proxy alone" -}}
{{- end -}}
{{- if and .ingress.enabled (not .enabled) -}}
{{- $problems = append $problems "console.ingress.enabled is true and console.enabled is not: there is nothing to reach" -}}
{{- end -}}
{{- if and .ingress.enabled (not .ingress.hosts) -}}
{{- $problems = append $problems "console.ingress.hosts is empty: the page would answer to any name" -}}
{{- end -}}
{{- if and .enabled (eq (.port | int) ($.Values.management.port | int)) -}}
{{- $problems = append $problems "console.port and management.port are the same" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* Paths of settings that hold a secret, one a line: (dict "value" ANY "path" TEXT). */}}
{{- define "oddlink.secretPaths" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- if and $value (has $key (list "password" "token" "keyPassword")) }}
{{ $path }}.{{ $key }}
{{- else -}}
{{- include "oddlink.secretPaths" (dict "value" $value "path" (printf "%s.%s" $path $key)) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $i, $value := .value -}}
{{- include "oddlink.secretPaths" (dict "value" $value "path" (printf "%s[%d]" $path $i)) -}}
{{- end -}}
{{- else if kindIs "string" .value -}}
{{- if regexMatch "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@" .value }}
{{ $path }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty if a map has something at a path: (dict "value" MAP "path" "a.b.c"). */}}
{{- define "oddlink.hasPath" -}}
{{- $value := .value -}}
{{- range splitList "." .path -}}
{{- $value = ternary (get (ternary $value dict (kindIs "map" $value)) .) "" (kindIs "map" $value) -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) -}}yes{{- end -}}
{{- end -}}
