/** Before the name of every metric. */
export const PREFIX = "oddlink_";

/** The processes that export metrics: workers, trainers, and so on. */
export const ROLES = ["worker", "trainer", "normalizer", "canary"] as const;
export type Role = (typeof ROLES)[number];

export type MetricType = "counter" | "gauge" | "histogram";

export type MetricDefinition = {
  readonly type: MetricType;
  readonly help: string;
  /** Each has few values: no name of a user or a host, nothing that a record holds. */
  readonly labels: readonly string[];
  readonly roles: readonly Role[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
  /** Where it is exported at all, if not by every process of its roles. */
  readonly where?: string;
};

const WORKER = ["worker"] as const;
const GRAPHS = ["worker", "trainer"] as const;
const CONSUMERS = ["worker", "normalizer"] as const;

const ON_KAFKA = "on Kafka";

/** From a thousandth of a second to minutes. */
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const SHORT_TIMES = [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.0025, 0.01];
const LONG_TIMES = [1, 5, 15, 60, 300, 900, 3600, 14_400];

type Rest = Partial<Pick<MetricDefinition, "labels" | "where">>;

const counter = (roles: readonly Role[], help: string, rest: Rest = {}): MetricDefinition => ({
  type: "counter",
  help,
  roles,
  labels: [],
  ...rest,
});
const gauge = (roles: readonly Role[], help: string, rest: Rest = {}): MetricDefinition => ({
  type: "gauge",
  help,
  roles,
  labels: [],
  ...rest,
});
const histogram = (
  roles: readonly Role[],
  help: string,
  buckets: readonly number[],
  rest: Rest = {},
): MetricDefinition => ({ type: "histogram", help, roles, buckets, labels: [], ...rest });

/**
 * Every metric that oddlink exports, by its name without the prefix. docs/metrics.md is made from it, and rules and dashboards are checked
 * against it.
 *
 * Totals are of what is committed: they never go back, and what is in no total will be read again.
 */
export const CATALOGUE = {
  build_info: gauge(ROLES, "Version of oddlink and of Node; always 1.", { labels: ["version", "nodejs"] }),
  ready: gauge(ROLES, "1 while /readyz says so, else 0."),

  logins_consumed_total: counter(
    WORKER,
    "Records read and committed: always the sum of scored, evidence, ignored, duplicate and dead letters.",
  ),
  logins_scored_total: counter(WORKER, "Logins scored."),
  logins_evidence_total: counter(
    WORKER,
    "Records that are no login and show an account at work: added, not scored.",
  ),
  logins_ignored_total: counter(WORKER, "Records that are no login of interest.", { labels: ["reason"] }),
  logins_duplicate_total: counter(WORKER, "Records whose own event id is among the recent ones."),
  dead_letters_total: counter(WORKER, "Records that could not be read or scored, and are dead letters.", {
    labels: ["reason"],
  }),
  logins_unaccounted_total: counter(
    WORKER,
    "Records consumed that are in none of these: 0, or there is a bug.",
  ),
  logins_late_total: counter(
    WORKER,
    "Logins and evidence more than an hour behind the newest login; counted above too.",
  ),
  unseen_entity_logins_total: counter(
    WORKER,
    "Scored logins with an account or a host in a new link that the epoch in force was not trained on.",
  ),

  ingest_to_decision_seconds: histogram(
    WORKER,
    "From when the broker got a record until what came of it was committed.",
    LATENCIES,
    { where: ON_KAFKA },
  ),
  event_to_alert_seconds: histogram(
    WORKER,
    "From when a login took place, by its own clock, until its alert was committed.",
    LATENCIES,
  ),
  score_seconds: histogram(
    WORKER,
    "Time to score one login and add it to the graph; of one in 16.",
    SHORT_TIMES,
  ),
  batch_seconds: histogram(
    WORKER,
    "Time for which records of a partition were processed in one go.",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  ),
  commit_seconds: histogram(
    WORKER,
    "From when a commit was begun until it was known to have happened.",
    LATENCIES,
  ),

  input_partitions: gauge(CONSUMERS, "Partitions of a topic that is read, whoever has them.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  partitions_assigned: gauge(CONSUMERS, "Partitions that the group has given to this process.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  partitions_ready: gauge(CONSUMERS, "Those of them that are restored and read.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  paused_partitions: gauge(CONSUMERS, "Those of them that are not read because enough of them waits.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  backpressure_seconds_total: counter(CONSUMERS, "Time for which partitions were paused, added up.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  consumer_lag_records: gauge(CONSUMERS, "Records of a partition of this process that are not committed.", {
    labels: ["topic", "partition"],
    where: ON_KAFKA,
  }),
  consumer_lag_seconds: gauge(
    CONSUMERS,
    "Age of the oldest of them: since the broker got it, or since it was first known of.",
    { labels: ["topic", "partition"], where: ON_KAFKA },
  ),
  rebalances_total: counter(CONSUMERS, "How often the group gave its partitions out anew.", {
    labels: ["topic"],
    where: ON_KAFKA,
  }),
  rebalance_seconds: histogram(
    CONSUMERS,
    "From when this process heard of that until it knew its partitions.",
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    { labels: ["topic"], where: ON_KAFKA },
  ),
  transactions_total: counter(
    CONSUMERS,
    "Transactions: committed, aborted, fenced (another process has the partition), unknown (no answer: it is found out).",
    { labels: ["topic", "outcome"], where: ON_KAFKA },
  ),

  restore_seconds: gauge(GRAPHS, "Time that it took to sum up the stored graph when the process began."),
  restore_remaining_bytes: gauge(GRAPHS, "Bytes of segments that are still to be summed up."),
  graph_rebuilds_total: counter(
    WORKER,
    "How often the graph was built anew, as it held what was never committed.",
  ),
  graph_entities: gauge(GRAPHS, "Users and hosts in the window."),
  graph_links: gauge(GRAPHS, "Links in the window."),
  graph_bytes: gauge(GRAPHS, "Memory of the table of links."),
  links_evicted_total: counter(
    GRAPHS,
    "Links evicted at the cap (window.maxLinks), the longest silent first.",
  ),
  segments: gauge(GRAPHS, "Records of segments in the log."),
  segment_bytes: gauge(GRAPHS, "Their size, by what they are.", { labels: ["kind"] }),
  segment_merges_total: counter(WORKER, "How often segments were merged into their sum."),
  tail_lag_seconds: histogram(
    WORKER,
    "From when another process wrote a segment until it was part of this graph.",
    LATENCIES,
    { where: ON_KAFKA },
  ),
  watermark_timestamp_seconds: gauge(GRAPHS, "Time of the newest login, seconds since the epoch."),
  window_start_timestamp_seconds: gauge(
    GRAPHS,
    "Before it a link that was silent is forgotten, seconds since the epoch.",
  ),

  epoch_info: gauge(GRAPHS, "The epoch in force; always 1.", { labels: ["number", "digest"] }),
  epoch_age_seconds: gauge(GRAPHS, "Since the newest epoch was written to the log.", { where: ON_KAFKA }),
  epoch_adoptions_total: counter(WORKER, "Epochs that came into force."),
  epoch_rejected_total: counter(WORKER, "Epochs that the gate did not let pass."),
  epoch_rollbacks_total: counter(WORKER, "Epochs that were taken back."),
  trainings_total: counter(GRAPHS, "Trainings of this process: trained, failed, stopped.", {
    labels: ["outcome"],
  }),
  training_seconds: histogram(GRAPHS, "How long they took.", LONG_TIMES),
  epochs_published_total: counter(["trainer"], "Epochs that this trainer published."),
  gate_auc: gauge(
    WORKER,
    "How often an unseen link scored above a fake of it, when the gate last compared two epochs.",
    { labels: ["fake", "epoch"] },
  ),
  score_drift_psi: gauge(
    WORKER,
    "Population stability index of the scores since the epoch in force was adopted, against those before.",
  ),

  alerts_total: counter(WORKER, "Alerts raised.", { labels: ["signal", "severity"] }),
  alerts_suppressed_total: counter(WORKER, "Alerts that nobody was told of: by a rule, or a verdict.", {
    labels: ["reason"],
  }),
  alerts_shadow_total: counter(WORKER, "What an epoch in the shadow would have raised."),
  incidents_total: counter(WORKER, "Incidents begun."),
  alert_budget_ratio: gauge(
    WORKER,
    "Alerts issued today (UTC, by the time of logins) as a share of what the day may raise; of the whole input.",
    { labels: ["channel"] },
  ),
  alert_threshold: gauge(
    WORKER,
    "Score below which a login alerts, presence apart; 0 while the budget learns.",
  ),
  verdicts: gauge(WORKER, "Incidents by the last answer to each.", { labels: ["verdict"] }),

  sink_deliveries_total: counter(WORKER, "Alerts sent to webhooks and syslog, and attempts that failed.", {
    labels: ["sink", "outcome"],
  }),
  sink_waiting: gauge(WORKER, "Alerts that wait to be sent.", { labels: ["sink"], where: "with a store" }),
  resolution_lookups_total: counter(CONSUMERS, "Names looked up in the look-aside tables.", {
    labels: ["table", "result"],
  }),

  normalized_records_total: counter(
    ["normalizer"],
    "Records read from raw topics, by what they came to: login, evidence, ignored, dead-letter.",
    { labels: ["topic", "outcome"] },
  ),

  canary_logins_total: counter(
    ["canary"],
    "Synthetic odd logins, by what came of them: detected, late, missed (not within a minute), unsent.",
    { labels: ["outcome"] },
  ),
  canary_seconds: histogram(
    ["canary"],
    "From when a synthetic login was sent until its alert was read.",
    LATENCIES,
  ),
  canary_pending: gauge(["canary"], "Synthetic logins whose alert is waited for."),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof CATALOGUE;

export function definitionOf(name: MetricName): MetricDefinition {
  return CATALOGUE[name];
}
