import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { newDashboard, OF_JOB, overTime, row } from "./panels.ts";

const quantiles = (metric: string, by = "") =>
  ["0.5", "0.99"].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${metric}_bucket{${OF_JOB}}[$__rate_interval])))`,
    legend: `${by === "" ? "" : `{{${by}}}, `}${Number(quantile) * 100} %`,
  }));

/** How records go through: Kafka, the graph, the processes. */
export function pipeline(): DashboardBuilder {
  return newDashboard(
    "oddlink-pipeline",
    "oddlink / Pipeline",
    "How records go through oddlink: the consumer group, commits, the graph, and the processes.",
  )
    .withRow(row("Consumer group"))
    .withPanel(
      overTime({
        title: "Lag by partition",
        description: "Age of the oldest record that is not committed.",
        unit: "s",
        queries: [
          {
            expr: `max by (topic, partition) (oddlink_consumer_lag_seconds{${OF_JOB}})`,
            legend: "{{topic}} {{partition}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Records that are not committed",
        description: "By partition; what stays level is a worker that keeps up.",
        unit: "short",
        queries: [
          {
            expr: `max by (topic, partition) (oddlink_consumer_lag_records{${OF_JOB}})`,
            legend: "{{topic}} {{partition}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Partitions by process",
        description: "Given by the group, read, and paused because enough of them waits.",
        unit: "short",
        queries: [
          {
            expr: `sum by (instance) (oddlink_partitions_assigned{${OF_JOB}})`,
            legend: "{{instance}} given",
          },
          { expr: `sum by (instance) (oddlink_partitions_ready{${OF_JOB}})`, legend: "{{instance}} read" },
          { expr: `sum by (instance) (oddlink_paused_partitions{${OF_JOB}})`, legend: "{{instance}} paused" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Rebalances, and time without",
        description: "How often partitions were given out anew in an hour; how long partitions were paused.",
        unit: "short",
        queries: [
          {
            expr: `sum by (instance) (increase(oddlink_rebalances_total{${OF_JOB}}[1h]))`,
            legend: "{{instance}} rebalances",
          },
          {
            expr: `sum by (instance) (rate(oddlink_backpressure_seconds_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "{{instance}} paused",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Time of a rebalance",
        description: "Until a worker knows its partitions.",
        unit: "s",
        queries: quantiles("oddlink_rebalance_seconds"),
      }),
    )
    .withRow(row("Commits"))
    .withPanel(
      overTime({
        title: "Transactions by outcome",
        description:
          "fenced: another process has the partition. unknown: no answer came, and it is found out what became of it.",
        unit: "short",
        queries: [
          {
            expr: `sum by (outcome) (rate(oddlink_transactions_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "{{outcome}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Time of a commit",
        description: "Attempts that failed included.",
        unit: "s",
        queries: quantiles("oddlink_commit_seconds"),
      }),
    )
    .withPanel(
      overTime({
        title: "Time of a batch",
        description: "For as long nothing else of the process has its turn.",
        unit: "s",
        queries: quantiles("oddlink_batch_seconds"),
      }),
    )
    .withPanel(
      overTime({
        title: "Time to score a login",
        description: "And to add it; of one login in 16.",
        unit: "s",
        queries: quantiles("oddlink_score_seconds"),
      }),
    )
    .withRow(row("Graph"))
    .withPanel(
      overTime({
        title: "Links and entities",
        description: "In the window, of the whole input: each worker holds all of them.",
        unit: "short",
        queries: [
          { expr: `max(oddlink_graph_links{${OF_JOB}})`, legend: "links" },
          { expr: `max(oddlink_graph_entities{${OF_JOB}})`, legend: "entities" },
          {
            expr: `sum(increase(oddlink_links_evicted_total{${OF_JOB}}[1h]))`,
            legend: "evicted in an hour",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Bytes of the graph",
        description: "Memory of the table of links, and segments in the log.",
        unit: "bytes",
        queries: [
          { expr: `max(oddlink_graph_bytes{${OF_JOB}})`, legend: "table of links" },
          { expr: `max by (kind) (oddlink_segment_bytes{${OF_JOB}})`, legend: "{{kind}}s in the log" },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Others' segments",
        description: "Until what another worker wrote is part of the graph of this one: about a second.",
        unit: "s",
        queries: quantiles("oddlink_tail_lag_seconds"),
      }),
    )
    .withPanel(
      overTime({
        title: "Restoring, merging, rebuilding",
        description: "A rebuild follows a commit that was lost to another process.",
        unit: "short",
        queries: [
          {
            expr: `max by (instance) (oddlink_restore_seconds{${OF_JOB}})`,
            legend: "{{instance}} restored in s",
          },
          {
            expr: `sum(increase(oddlink_segment_merges_total{${OF_JOB}}[1h]))`,
            legend: "merges in an hour",
          },
          {
            expr: `sum(increase(oddlink_graph_rebuilds_total{${OF_JOB}}[1h]))`,
            legend: "rebuilds in an hour",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Time of logins behind the clock",
        description: "How far the newest login lies behind now, and how many come late.",
        unit: "s",
        queries: [
          { expr: `time() - max(oddlink_watermark_timestamp_seconds{${OF_JOB}})`, legend: "newest login" },
          {
            expr: `sum(rate(oddlink_logins_late_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "late logins a second",
          },
        ],
      }),
    )
    .withRow(row("Processes"))
    .withPanel(
      overTime({
        title: "CPU",
        description: "Cores; scoring takes one, training others.",
        unit: "short",
        queries: [
          {
            expr: `sum by (instance) (rate(process_cpu_seconds_total{${OF_JOB}}[$__rate_interval]))`,
            legend: "{{instance}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Memory",
        description: "Resident.",
        unit: "bytes",
        queries: [
          {
            expr: `max by (instance) (process_resident_memory_bytes{${OF_JOB}})`,
            legend: "{{instance}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Event loop behind",
        description: "99th percentile of how late the event loop of each process is.",
        unit: "s",
        queries: [
          {
            expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${OF_JOB}})`,
            legend: "{{instance}}",
          },
        ],
      }),
    )
    .withPanel(
      overTime({
        title: "Versions",
        description: "How many processes run each.",
        unit: "short",
        queries: [{ expr: `count by (version) (oddlink_build_info{${OF_JOB}})`, legend: "{{version}}" }],
      }),
    );
}
