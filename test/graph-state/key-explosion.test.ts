import assert from "node:assert/strict";
import { test } from "node:test";
import { ALERT_GROUPS_MAX, OpenAlertGroups } from "../../src/graph-state/alert-groups.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { USER_KIND } from "../../src/graph-state/link-kinds.ts";
import { addLogin, login, PART_BYTES_MAX } from "./logins.ts";

const MINUTE_MS = 60_000;
const USERS = 30_000;
const LINKS_MAX = 10_000;
/** Logins between two segments: what they change is spared by eviction. */
const SEGMENT_LOGINS = 500;
const ROWS_PER_LOGIN = 20;

test("many new names in five minutes evict links at the cap, and their names with them", () => {
  const graph = new Graph({ window: { days: 30, maxLinks: LINKS_MAX } });
  let namesMax = 0;
  for (let i = 0; i < USERS; i++) {
    const timeMs = Math.floor((i * 5 * MINUTE_MS) / USERS);
    addLogin(graph, login({ timeMs, user: `new ${i}`, targetUser: `new ${i}`, sourceHost: `host ${i}` }));
    if (i % SEGMENT_LOGINS === SEGMENT_LOGINS - 1) graph.takeDelta(PART_BYTES_MAX);
    namesMax = Math.max(namesMax, graph.names.entities[USER_KIND]!.size);
  }
  const linksMax = LINKS_MAX + (SEGMENT_LOGINS + 1) * ROWS_PER_LOGIN;
  assert.ok(graph.links.size <= linksMax, `${graph.links.size} links`);
  assert.ok(graph.evictedCount > USERS, `${graph.evictedCount} evicted`);
  assert.ok(namesMax < linksMax, `${namesMax} users at once`);
  for (const names of graph.names.entities)
    assert.ok(names.slotCount <= linksMax, `${names.slotCount} slots`);
  // What goes on being seen is known all the same.
  assert.ok(
    graph.names.entities[USER_KIND]!.find(Buffer.from(`new ${USERS - 1}`), 0, `new ${USERS - 1}`.length) >= 0,
  );
});

test("a cap below what one segment changes is exceeded by that much, and made good after it", () => {
  const graph = new Graph({ window: { days: 30, maxLinks: 100 } });
  for (let i = 0; i < 2000; i++) addLogin(graph, login({ timeMs: i, user: `new ${i}` }));
  assert.ok(graph.links.size > 2000);
  graph.takeDelta(PART_BYTES_MAX);
  addLogin(graph, login({ timeMs: 3000 }));
  assert.ok(graph.links.size <= 100 + ROWS_PER_LOGIN, `${graph.links.size} links`);
});

test("open incidents are bounded: beyond, each login stands for itself", () => {
  const incidents = new OpenAlertGroups();
  const incident = (user: string) => ({
    tier: "surprise",
    user,
    sourceHost: "C1",
    slotStartMs: 0,
    slotEndMs: 30 * MINUTE_MS,
    alerts: 1,
    peak: 1,
    alertedPeak: 1,
    partition: 0,
  });
  for (let i = 0; i < ALERT_GROUPS_MAX + 10; i++) assert.equal(incidents.add(incident(`new ${i}`)).alerts, 1);
  assert.equal(incidents.add(incident("new 0")).alerts, 2, "one that is kept goes on");
  assert.equal(incidents.add(incident(`new ${ALERT_GROUPS_MAX}`)).alerts, 1);
  assert.equal(incidents.takeDelta().length, ALERT_GROUPS_MAX);
  assert.equal(incidents.close(31 * MINUTE_MS).length, ALERT_GROUPS_MAX);
});
