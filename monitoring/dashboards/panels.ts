import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** Grafana's grid is 24 wide. */
const WIDE = 12;
const NARROW = 4;
const HIGH = 8;
const LOW = 4;

/** What every query asks for: of the jobs that were chosen. */
export const OF_JOB = 'job=~"$job"';

export type Query = {
  readonly expr: string;
  /** Such as `{{topic}}`; the metric itself if empty. */
  readonly legend: string;
};

export type PanelOptions = {
  readonly title: string;
  /** What to see in it, and what is as it should be. */
  readonly description: string;
  /** As Grafana calls it, such as `s` or `bytes`. */
  readonly unit: string;
  readonly queries: readonly Query[];
};

export type StatOptions = PanelOptions & {
  /** Values from which it is no longer well, and bad; the smaller the worse if `bad` is below `warning`. */
  readonly warning: number;
  readonly bad: number;
};

const DATA_SOURCE = { type: "prometheus", uid: "$datasource" };

function target({ expr, legend }: Query, i: number): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder()
    .expr(expr)
    .legendFormat(legend)
    .refId(String.fromCharCode("A".charCodeAt(0) + i));
}

/** Values over time. */
export function overTime({ title, description, unit, queries }: PanelOptions): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .min(0)
    .fillOpacity(8)
    .showPoints(common.VisibilityMode.Never)
    .span(WIDE)
    .height(HIGH)
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    );
  for (const [i, query] of queries.entries()) panel.withTarget(target(query, i));
  return panel;
}

/** One number, as it is now. */
export function now({ title, description, unit, queries, warning, bad }: StatOptions): stat.PanelBuilder {
  const isLessWorse = bad < warning;
  const steps = isLessWorse
    ? [step(null, "red"), step(bad, "yellow"), step(warning, "green")]
    : [step(null, "green"), step(warning, "yellow"), step(bad, "red")];
  const panel = new stat.PanelBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps))
    .span(NARROW)
    .height(LOW);
  for (const [i, query] of queries.entries()) panel.withTarget(target(query, i));
  return panel;
}

function step(value: number | null, color: string): dashboard.Threshold {
  return { value, color };
}

/** A dashboard with a choice of the data source and of the jobs, as the chart and the rules name them. */
export function newDashboard(uid: string, title: string, description: string): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["oddlink"])
    .refresh("30s")
    .time({ from: "now-6h", to: "now" })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .readonly()
    .withVariable(
      new dashboard.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
    )
    .withVariable(
      new dashboard.QueryVariableBuilder("job")
        .label("Job")
        .datasource(DATA_SOURCE)
        .query("label_values(oddlink_build_info, job)")
        .multi(true)
        .includeAll(true)
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged),
    )
    .link(
      new dashboard.DashboardLinkBuilder("oddlink")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(["oddlink"])
        .keepTime(true)
        .includeVars(true)
        .asDropdown(true),
    );
}

export function row(title: string): dashboard.RowBuilder {
  return new dashboard.RowBuilder(title);
}
