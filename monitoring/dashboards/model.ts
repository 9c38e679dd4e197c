import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { newDashboard, OF_JOB, overTime, row } from "./panels.ts";

/** What the model does, and what comes of it. */
export function model(): DashboardBuilder {
  return newDashboard(
    "oddlink-model",
    "oddlink / Model and alerts",
    "What the model does, how it changes, and what alerts come of it.",
  )
    .withRow(row("Epochs"))
    .withPanel(
      overTime({
        title: "Age of the newest epoch",
        description: "Falls to nothing whenever one is published.",
        unit: "s",
        queries: [{ expr: `min(oddlink_epoch_age_seconds{${OF_JOB}})`, legend: "age" }],
      }),
    )
    .withPanel(
      overTime({
        title: "What becomes of epochs",
        description: "In a day: adopted, rejected by the gate, taken back.",
        unit: "short",
        queries: [
          { expr: `max(increase(oddlink_epoch_adoptions_total{${OF_JOB}}[1d]))`, legend: "adopted" },
          { expr: `max(increase(oddlink_epoch_rejected_total{${OF_JOB}}[1d]))`, legend: "rejected" },
          { expr: `max(increase(oddlink_epoch_rollbacks_total{${OF_JOB}}[1d]))`, legend: "taken back" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "The gate's comparison",
        description:
          "How often an unseen link scored above a fake of it, of each kind, under the candidate and the epoch it was compared with.",
        unit: "percentunit",
        queries: [
          { expr: `max by (fake, epoch) (oddlink_gate_auc{${OF_JOB}})`, legend: "{{fake}} {{epoch}}" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Trainings",
        description: "How long they take, and how many ended in each way in a day.",
        unit: "short",
        queries: [
          {
            expr: `sum(rate(oddlink_training_seconds_sum{${OF_JOB}}[1d])) / sum(rate(oddlink_training_seconds_count{${OF_JOB}}[1d]))`,
            legend: "seconds",
          },
          {
            expr: `sum by (outcome) (increase(oddlink_trainings_total{${OF_JOB}}[1d]))`,
            legend: "{{outcome}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Drift of the scores",
        description:
          "Population stability index since the epoch in force was adopted: below 0.1 hardly anything has changed, above 0.25 much has.",
        unit: "short",
        queries: [{ expr: `max(oddlink_score_drift_psi{${OF_JOB}})`, legend: "index" }],
      }),
    )
    .withPanel(
      overTime({
        title: "Logins the epoch knows nothing of",
        description: "Share of the scored ones, with an account or a host that it was not trained on.",
        unit: "percentunit",
        queries: [
          {
            expr: `sum(rate(oddlink_unseen_entity_logins_total{${OF_JOB}}[1h])) / sum(rate(oddlink_logins_scored_total{${OF_JOB}}[1h]))`,
            legend: "share",
          },
        ],
      }),
    )
    .withRow(row("Alerts"))
    .withPanel(
      overTime({
        title: "Alerts by severity",
        description: "Of each hour.",
        unit: "short",
        queries: [
          {
            expr: `sum by (severity) (increase(oddlink_alerts_total{${OF_JOB}}[1h]))`,
            legend: "{{severity}}",
          },
          { expr: `sum(increase(oddlink_incidents_total{${OF_JOB}}[1h]))`, legend: "incidents" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Suppressed, or in the shadow",
        description: "What nobody was told of, of each hour.",
        unit: "short",
        queries: [
          {
            expr: `sum by (reason) (increase(oddlink_alerts_suppressed_total{${OF_JOB}}[1h]))`,
            legend: "by a {{reason}}",
          },
          { expr: `sum(increase(oddlink_alerts_shadow_total{${OF_JOB}}[1h]))`, legend: "in the shadow" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Budget used",
        description: "Alerts issued today as a share of what the day may raise.",
        unit: "percentunit",
        queries: [
          { expr: `max by (channel) (oddlink_alert_budget_ratio{${OF_JOB}})`, legend: "{{channel}}" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Threshold",
        description: "Score below which a login alerts; the budget moves it.",
        unit: "short",
        queries: [{ expr: `max(oddlink_alert_threshold{${OF_JOB}})`, legend: "threshold" }],
      }),
    )
    .withPanel(
      overTime({
        title: "Verdicts",
        description: "Incidents by what analysts answered last.",
        unit: "short",
        queries: [{ expr: `max by (verdict) (oddlink_verdicts{${OF_JOB}})`, legend: "{{verdict}}" }],
      }),
    )
    .withPanel(
      overTime({
        title: "From a login to its alert",
        description: "By the clock of the login; how late logs arrive is part of it.",
        unit: "s",
        queries: ["0.5", "0.99"].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(oddlink_event_to_alert_seconds_bucket{${OF_JOB}}[1h])))`,
          legend: `${Number(quantile) * 100} %`,
        })),
      }),
    )
    .withRow(row("Canary, sinks, look-aside tables"))
    .withPanel(
      overTime({
        title: "Synthetic logins by outcome",
        description: "Of ten minutes: ten are to be detected.",
        unit: "short",
        queries: [
          {
            expr: `sum by (outcome) (increase(oddlink_canary_logins_total{${OF_JOB}}[10m]))`,
            legend: "{{outcome}}",
          },
          { expr: `sum(oddlink_canary_pending{${OF_JOB}})`, legend: "waited for" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Until the alert of a synthetic login is read",
        description: "Five seconds is the limit.",
        unit: "s",
        queries: ["0.5", "0.99"].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(oddlink_canary_seconds_bucket{${OF_JOB}}[1h])))`,
          legend: `${Number(quantile) * 100} %`,
        })),
      }),
    )
    .withPanel(
      overTime({
        title: "Deliveries to sinks",
        description: "Of each hour, by outcome.",
        unit: "short",
        queries: [
          {
            expr: `sum by (sink, outcome) (increase(oddlink_sink_deliveries_total{${OF_JOB}}[1h])) > 0`,
            legend: "{{sink}} {{outcome}}",
          },
          { expr: `sum by (sink) (oddlink_sink_waiting{${OF_JOB}})`, legend: "{{sink}} waiting" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Hits of the look-aside tables",
        description: "Share of the names that were found in each.",
        unit: "percentunit",
        queries: [
          {
            expr: `sum by (table) (rate(oddlink_resolution_lookups_total{${OF_JOB},result="hit"}[1h])) / sum by (table) (rate(oddlink_resolution_lookups_total{${OF_JOB}}[1h]))`,
            legend: "{{table}}",
          },
        ],
      }),
    );
}
