import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { newDashboard, now, OF_JOB, overTime, row } from "./panels.ts";

const OF_SERVICE = 'sloth_service="oddlink"';

/** Whether oddlink keeps its promises: what somebody who was paged looks at first. */
export function objectives(): DashboardBuilder {
  return newDashboard(
    "oddlink-objectives",
    "oddlink / Objectives",
    "Whether oddlink keeps its promises, and for how much longer; docs/slos.md says what each means.",
  )
    .withRow(row("Now"))
    .withPanel(
      now({
        title: "Partitions that nobody reads",
        description: "Of the topic of logins and of raw topics. Each one is logins that are not scored.",
        unit: "short",
        queries: [
          {
            expr: `sum(max by (topic) (oddlink_input_partitions{${OF_JOB}})) - sum(oddlink_partitions_ready{${OF_JOB}})`,
            legend: "",
          },
        ],
        warning: 1,
        bad: 1,
      }),
    )
    .withPanel(
      now({
        title: "Oldest login that is not decided",
        description: "How long it has been in the topic.",
        unit: "s",
        queries: [{ expr: `max(oddlink_consumer_lag_seconds{${OF_JOB}})`, legend: "" }],
        warning: 5,
        bad: 30,
      }),
    )
    .withPanel(
      now({
        title: "Processes that are not ready",
        description: "They restore the graph, take partitions on, or can't.",
        unit: "short",
        queries: [{ expr: `count(oddlink_ready{${OF_JOB}} == 0) or vector(0)`, legend: "" }],
        warning: 1,
        bad: 2,
      }),
    )
    .withPanel(
      now({
        title: "Synthetic logins found in time",
        description: "Of the last hour's; a canary sends one a minute.",
        unit: "percentunit",
        queries: [
          {
            expr: `sum(increase(oddlink_canary_logins_total{${OF_JOB},outcome="detected"}[1h])) / sum(increase(oddlink_canary_logins_total{${OF_JOB}}[1h]))`,
            legend: "",
          },
        ],
        warning: 0.995,
        bad: 0.9,
      }),
    )
    .withPanel(
      now({
        title: "Age of the newest epoch",
        description: "A day and two hours is the limit.",
        unit: "s",
        queries: [{ expr: `min(oddlink_epoch_age_seconds{${OF_JOB}})`, legend: "" }],
        warning: 50_400,
        bad: 93_600,
      }),
    )
    .withPanel(
      now({
        title: "Budget of alerts used today",
        description: "Above 1 more alerts were raised than the day may have.",
        unit: "percentunit",
        queries: [{ expr: `max(oddlink_alert_budget_ratio{${OF_JOB}})`, legend: "" }],
        warning: 1,
        bad: 1.2,
      }),
    )
    .withRow(row("Error budgets of 30 days"))
    .withPanel(
      overTime({
        title: "What is left of each error budget",
        description: "1 is all of it; below 0 the objective of the month is missed.",
        unit: "percentunit",
        queries: [
          { expr: `slo:period_error_budget_remaining:ratio{${OF_SERVICE}}`, legend: "{{sloth_slo}}" },
        ],
      }).min(-1),
    )
    .withPanel(
      overTime({
        title: "How fast each is being used",
        description: "At 1 it lasts for just 30 days; at 14.4 for two: that pages.",
        unit: "short",
        queries: [{ expr: `slo:current_burn_rate:ratio{${OF_SERVICE}}`, legend: "{{sloth_slo}}" }],
      }),
    )
    .withRow(row("What becomes of logins"))
    .withPanel(
      overTime({
        title: "Records by outcome",
        description: "Together they are all that is read.",
        unit: "short",
        queries: [
          { expr: `sum(rate(oddlink_logins_scored_total{${OF_JOB}}[$__rate_interval]))`, legend: "scored" },
          {
            expr: `sum(rate(oddlink_logins_evidence_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "evidence",
          },
          { expr: `sum(rate(oddlink_logins_ignored_total{${OF_JOB}}[$__rate_interval]))`, legend: "ignored" },
          {
            expr: `sum(rate(oddlink_logins_duplicate_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "duplicate",
          },
          {
            expr: `sum(rate(oddlink_dead_letters_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "dead letters",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "From the broker to the decision",
        description: "99 of 100 logins are to be decided within a second.",
        unit: "s",
        queries: ["0.5", "0.99"].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(oddlink_ingest_to_decision_seconds_bucket{${OF_JOB}}[$__rate_interval])))`,
          legend: `${Number(quantile) * 100} %`,
        })),
      }),
    )
    .withPanel(
      overTime({
        title: "Alerts by signal",
        description: "Raised, not suppressed.",
        unit: "short",
        queries: [
          { expr: `sum by (signal) (increase(oddlink_alerts_total{${OF_JOB}}[1h]))`, legend: "{{signal}}" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Dead letters by reason",
        description: "scoring-failed is a bug of oddlink; the others are records that can't be read.",
        unit: "short",
        queries: [
          {
            expr: `sum by (reason) (rate(oddlink_dead_letters_total{${OF_JOB}}[$__rate_interval])) > 0`,
            legend: "{{reason}}",
          },
        ],
      }),
    );
}
