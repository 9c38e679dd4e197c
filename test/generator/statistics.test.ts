import assert from "node:assert/strict";
import { test } from "node:test";
import { isWithinCommunity } from "../../src/generator/organisation.ts";
import {
  HEAD_ALL,
  HOURS_ALL,
  HOURS_HUMAN,
  LOGINS_PER_NEW_PAIR,
  WEEKEND_LEVEL,
} from "../../src/generator/published.ts";
import { sizeOf } from "../../src/generator/stream-size.ts";
import { generated, kindOf, rowsOf, statisticsOf } from "./stream-statistics.ts";

// A middle-sized stream: 191 users over 12 days, the first a Wednesday.
const size = sizeOf(1_000_000);
const { stream, bytes } = generated({ size, seed: 11 });
const found = statisticsOf(bytes, size.days);
const WEEKEND_DAYS = [3, 4, 10, 11];

function near(actual: number, published: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - published) <= tolerance,
    `${what}: ${actual.toFixed(3)}, published ${published}`,
  );
}

const sumOf = (values: readonly number[], count = values.length) =>
  values.slice(0, count).reduce((sum, value) => sum + value, 0);

test("the mix of events is the published one", () => {
  const { mix } = found;
  near(mix.percent("LogOff ? Network"), 41.9, 1.5, "log-offs");
  near(mix.percent("LogOn Kerberos Network"), 34.4, 1.5, "Kerberos");
  near(mix.percent("TGS"), 9.2, 0.8, "TGS");
  near(mix.percent("LogOn NTLM Network"), 4.6, 0.4, "NTLM");
  near(mix.percent("LogOn Negotiate Service"), 4.6, 0.4, "services");
  near(mix.percent("TGT"), 3.6, 0.4, "TGT");
  near((100 * found.ticketFails) / mix.get("TGT")!, 24, 5, "failed TGT");
  near(mix.percent("AuthMap"), 0.8, 0.15, "AuthMap");
  near(mix.percent("LogOn Negotiate Interactive"), 0.2, 0.08, "interactive");
  near(mix.percent("LogOn Negotiate Unlock"), 0.19, 0.08, "unlock");
  near(mix.percent("LogOn Negotiate Batch"), 0.15, 0.05, "batch");
  near(mix.percent("LogOn Negotiate RemoteInteractive"), 0.0064, 0.006, "remote desktop");
  near((100 * found.sameAccount) / found.rows, 98.5, 0.7, "one account in both columns");
});

test("machines, people and the others have their published shares", () => {
  const { accountKinds, remoteByKind, remoteByAuth, domains, remote, rows } = found;
  near(accountKinds.percent("machine"), 60.5, 2, "machine");
  near(accountKinds.percent("human"), 32.5, 2, "human");
  near(accountKinds.percent("NETWORK SERVICE"), 3.75, 0.4, "NETWORK SERVICE");
  near(accountKinds.percent("ANONYMOUS LOGON"), 3.0, 0.4, "ANONYMOUS LOGON");
  near(domains.percent("DOM1"), 91.7, 1.5, "the main domain");
  near(domains.percent("?"), 0.75, 0.2, "no domain");
  near((100 * remote) / rows, 34.7, 1.5, "remote LogOns");
  near(remoteByKind.percent("machine"), 66.6, 2, "remote by machines");
  near(remoteByKind.percent("human"), 28.0, 2, "remote by people");
  near(remoteByAuth.percent("Kerberos"), 87.9, 1.5, "remote by Kerberos");
  near(remoteByAuth.percent("NTLM"), 11.8, 1.5, "remote by NTLM");
  near((100 * found.remoteFails) / remote, 0.54, 0.3, "remote failures");
});

test("a weekday has its published hours, a weekend is flat and lower, and weeks grow", () => {
  const weekday = new Float64Array(24);
  const human = new Float64Array(24);
  const dayTotals = Array.from({ length: size.days }, (_, day) =>
    sumOf([...found.hours.subarray(24 * day, 24 * day + 24)]),
  );
  for (let day = 0; day < size.days; day++) {
    if (WEEKEND_DAYS.includes(day)) continue;
    for (let hour = 0; hour < 24; hour++) {
      weekday[hour] += found.hours[24 * day + hour];
      human[hour] += found.humanHours[24 * day + hour];
    }
  }
  const percent = (hours: Float64Array, hour: number) => (100 * hours[hour]) / sumOf([...hours]);
  for (let hour = 0; hour < 24; hour++) {
    near(percent(weekday, hour), HOURS_ALL[hour], 0.3, `all, hour ${hour}`);
    near(percent(human, hour), HOURS_HUMAN[hour], 1.2, `people, hour ${hour}`);
  }
  const mean = (isMeant: (day: number) => boolean) => {
    const days = dayTotals.filter((_, day) => isMeant(day));
    return sumOf(days) / days.length;
  };
  const isWeekend = (day: number) => WEEKEND_DAYS.includes(day);
  near(mean(isWeekend) / mean((day) => !isWeekend(day)), WEEKEND_LEVEL, 0.08, "weekend over weekday");
  assert.ok(dayTotals[9] > 1.05 * dayTotals[0], "later weekdays are busier");
});

test("a few targets receive nearly everything, as published", () => {
  const all = found.targets.ranked;
  const human = found.humanTargets.ranked;
  const ntlm = found.ntlmTargets.ranked;
  near(all[0], HEAD_ALL[0], 4, "first target");
  near(sumOf(all, 5), sumOf(HEAD_ALL, 5), 6, "five targets");
  near(sumOf(all, 10), 81.1, 5, "ten targets");
  near(sumOf(all, 20), 91.8, 4, "twenty targets");
  near(human[0], 8.6, 4, "people's first target");
  near(sumOf(human, 10), 68.6, 8, "people's ten targets");
  near(sumOf(human, 20), 90.6, 5, "people's twenty targets");
  near(ntlm[0], 33.1, 8, "first target by NTLM");
  near(sumOf(ntlm, 10), 87, 12, "ten targets by NTLM");
  near(found.humanUsers.ranked[0], 8.0, 4, "busiest account");
});

test("people use few targets from one or two sources in a morning", () => {
  const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(share * sorted.length)];
  const { morningTargets, morningSources } = found;
  assert.ok(morningTargets.length > 100);
  near(quantile(morningTargets, 0.5), 4, 1, "median of targets");
  near(quantile(morningTargets, 0.9), 6, 2, "ninth decile of targets");
  near(quantile(morningTargets, 0.99), 10, 4, "99 % of targets");
  assert.ok(morningTargets.at(-1)! > 8, "someone reaches many");
  near(quantile(morningSources, 0.5), 1, 0, "median of sources");
  near(quantile(morningSources, 0.9), 2, 1, "ninth decile of sources");
});

test("new pairs of hosts go on appearing, as seldom as published within a factor of three", () => {
  const from = Math.ceil(size.days / 3);
  const pairs = sumOf([...found.newPairs.subarray(from)]);
  const rate = sumOf([...found.remoteByDay.subarray(from)]) / pairs;
  assert.ok(rate > LOGINS_PER_NEW_PAIR / 3 && rate < 3 * LOGINS_PER_NEW_PAIR, `one in ${rate}`);
  assert.ok(found.newPairs[0] > 5 * found.newPairs[from], "most on the first day");
});

test("most new links of people follow their departments, teams and projects, and at least a tenth follow nothing", () => {
  const { organisation, names } = stream;
  const personOf = new Map(organisation.persons.map((_, i) => [names.account(i), i]));
  const hostOf = new Map(Array.from(organisation.roles, (_, i) => [names.host(i), i]));
  const from = (size.days / 3) * 86_400;
  const known = new Set<string>();
  let fresh = 0;
  let arbitrary = 0;
  const spurts = new Map<string, number>();
  for (const { second, user, source, target, orientation } of rowsOf(bytes)) {
    const person = personOf.get(user);
    if (person === undefined || orientation !== "LogOn" || source === target) continue;
    const link = `${user} ${target}`;
    if (known.has(link)) continue;
    known.add(link);
    if (second < from) continue;
    fresh++;
    if (!isWithinCommunity(organisation, person, hostOf.get(target)!)) arbitrary++;
    const slot = `${user} ${Math.floor(second / 10_800)}`;
    spurts.set(slot, (spurts.get(slot) ?? 0) + 1);
  }
  const share = arbitrary / fresh;
  assert.ok(fresh > 100, `${fresh} new links`);
  assert.ok(share >= 0.1 && share <= 0.55, `${arbitrary} of ${fresh} new links are arbitrary`);
  assert.ok(Math.max(...spurts.values()) >= 4, "they come in spurts");
});

test("a source asks for tickets before an account logs on from there by Kerberos, but for delegation and what gets lost", () => {
  const asked = new Set<string>();
  const delegated = new Map<string, number>();
  let logins = 0;
  let without = 0;
  for (const { user, source, target, auth, orientation } of rowsOf(bytes)) {
    if (kindOf(user) !== "human") continue;
    if (orientation === "TGS" || orientation === "TGT") asked.add(`${user} ${source}`);
    if (orientation !== "LogOn" || auth !== "Kerberos" || source === target) continue;
    logins++;
    if (asked.has(`${user} ${source}`)) continue;
    without++;
    delegated.set(source, (delegated.get(source) ?? 0) + 1);
  }
  assert.ok(without / logins > 0.005 && without / logins < 0.15, `${without} of ${logins}`);
  const busiest = [...delegated.values()].sort((a, b) => b - a).slice(0, 3);
  assert.ok(sumOf(busiest) > 0.8 * without, "nearly all from a few application servers");
});

test("some sources log many people on by NTLM and by nothing else", () => {
  const ntlm = new Map<string, Set<string>>();
  const strong = new Set<string>();
  for (const { user, source, target, auth, orientation } of rowsOf(bytes)) {
    if (kindOf(user) !== "human" || orientation !== "LogOn" || source === target) continue;
    if (auth !== "NTLM") strong.add(source);
    else if (ntlm.has(source)) ntlm.get(source)!.add(user);
    else ntlm.set(source, new Set([user]));
  }
  const weakOnly = [...ntlm].filter(([source, users]) => !strong.has(source) && users.size >= 8);
  assert.ok(weakOnly.length >= 2, `${weakOnly.length} such sources`);
});
