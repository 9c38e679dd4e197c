import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type Ranking,
  RankingAccumulator,
  type RankingMetrics,
  type ScoredLogin,
} from "../../src/evaluation/ranking.ts";
import { spreadOverSeeds } from "../../src/evaluation/spread.ts";

const DAY_MS = 86_400_000;

function rankingOf(logins: readonly ScoredLogin[], startMs?: number): Ranking {
  const accumulator = new RankingAccumulator({ startMs });
  for (const login of logins) accumulator.add(login);
  return accumulator.result();
}

let nextIncident = 0;
function scored(
  score: number,
  positive: boolean,
  timeMs = 0,
  incident = `own-${nextIncident++}`,
): ScoredLogin {
  return { score, positive, timeMs, incident };
}

/** The definitions, written down as plainly as they can be: sort, walk, count. */
function naive(
  logins: readonly { score: number; positive: boolean; timeMs: number }[],
  startMs = logins.reduce((first, { timeMs }) => Math.min(first, timeMs), Number.POSITIVE_INFINITY),
): RankingMetrics {
  const ranked = [...logins].sort((a, b) => a.score - b.score || Number(a.positive) - Number(b.positive));
  const positives = ranked.filter(({ positive }) => positive).length;
  const negatives = ranked.length - positives;
  const hitsWithin = (list: readonly { positive: boolean }[], count: number) =>
    list.slice(0, count).filter(({ positive }) => positive).length;
  const recall = (hits: number) => (positives === 0 ? null : hits / positives);
  let precisionSum = 0;
  let fprAtRecall50: number | null = null;
  for (let rank = 1; rank <= ranked.length; rank++) {
    if (!ranked[rank - 1].positive) continue;
    const hits = hitsWithin(ranked, rank);
    precisionSum += hits / rank;
    if (fprAtRecall50 === null && hits >= positives / 2 && negatives > 0)
      fprAtRecall50 = (rank - hits) / negatives;
  }
  const days = Map.groupBy(ranked, ({ timeMs }) => Math.floor((timeMs - startMs) / DAY_MS));
  const daily = (count: number) =>
    recall([...days.values()].reduce((sum, day) => sum + hitsWithin(day, count), 0));
  const share = (divisor: number) => recall(hitsWithin(ranked, Math.floor(ranked.length / divisor)));
  return {
    scored: ranked.length,
    positives,
    averagePrecision: positives === 0 ? null : precisionSum / positives,
    fprAtRecall50,
    recallAtShare: { "0.001": share(1000), "0.005": share(200), "0.01": share(100) },
    recallAtAlertsPerDay: { "1": daily(1), "5": daily(5), "10": daily(10), "50": daily(50) },
  };
}

function naiveIncidents(logins: readonly ScoredLogin[]): RankingMetrics {
  const groups = [...Map.groupBy(logins, ({ incident }) => incident).values()];
  return naive(
    groups.map((group) => {
      const [lowest] = [...group].sort((a, b) => a.score - b.score || a.timeMs - b.timeMs);
      return {
        score: lowest.score,
        timeMs: lowest.timeMs,
        positive: group.some(({ positive }) => positive),
      };
    }),
    // An incident may start with a login other than its oddest: days count from the first login of all.
    logins.reduce((first, { timeMs }) => Math.min(first, timeMs), Number.POSITIVE_INFINITY),
  );
}

describe("by hand", () => {
  test("two positives at ranks 1 and 3 of 4", () => {
    const {
      averagePrecision,
      fprAtRecall50,
      scored: count,
      positives,
    } = rankingOf([scored(0.3, true), scored(0.1, true), scored(0.2, false), scored(0.9, false)]);
    assert.equal(count, 4);
    assert.equal(positives, 2);
    assert.equal(averagePrecision, (1 / 1 + 2 / 3) / 2);
    assert.equal(fprAtRecall50, 0);
  });

  test("half of three positives is two", () => {
    const logins = [0.1, 0.3, 0.5].map((score) => scored(score, true));
    logins.push(...[0.2, 0.4, 0.6, 0.8].map((score) => scored(score, false)));
    assert.equal(rankingOf(logins).fprAtRecall50, 1 / 4);
  });

  test("a share of the logins is rounded down", () => {
    const logins = Array.from({ length: 1999 }, (_, i) => scored(0.5 + i / 1e4, false));
    logins.push(scored(0.1, true), scored(0.2, true), scored(0.3, true), scored(0.4, true));
    const { recallAtShare } = rankingOf(logins);
    assert.deepEqual(recallAtShare, { "0.001": 2 / 4, "0.005": 1, "0.01": 1 });
    assert.equal(rankingOf(logins.slice(1100)).recallAtShare["0.001"], 0);
  });

  test("a day is 24 hours from the start of the scored period", () => {
    const logins = [
      scored(0.1, false, 5000),
      scored(0.2, true, 5000 + DAY_MS - 1),
      scored(0.3, true, 5000 + DAY_MS),
    ];
    assert.deepEqual(rankingOf(logins).recallAtAlertsPerDay, { "1": 1 / 2, "5": 1, "10": 1, "50": 1 });
    // Counted from an hour earlier, the first login has a day to itself and the other two share the next.
    const shifted = rankingOf([...logins, scored(0.25, false, 5000 + DAY_MS)], 5000 - 3_600_000);
    assert.equal(shifted.recallAtAlertsPerDay["1"], 1 / 2);
  });

  test("each day has its own budget, and an odd day does not eat a quiet one's", () => {
    const logins = Array.from({ length: 60 }, (_, i) => scored(0.001 + i / 1e6, false, i));
    logins.push(scored(0.2, true, 3 * DAY_MS), scored(0.2, true, 100));
    assert.deepEqual(rankingOf(logins).recallAtAlertsPerDay, { "1": 0.5, "5": 0.5, "10": 0.5, "50": 0.5 });
  });

  test("an incident has its lowest score and is positive if any of its logins is", () => {
    const { incidents } = rankingOf([
      scored(0.1, false, 0, "a"),
      scored(0.9, true, DAY_MS, "a"),
      scored(0.2, false, 0, "b"),
      scored(0.3, true, 0, "c"),
    ]);
    assert.equal(incidents.scored, 3);
    assert.equal(incidents.positives, 2);
    assert.equal(incidents.averagePrecision, (1 + 2 / 3) / 2);
    assert.equal(incidents.recallAtAlertsPerDay["1"], 1 / 2);
  });
});

describe("ties count against the detector", () => {
  test("a score that is the same for all ranks every positive last", () => {
    const logins = [scored(0.5, true), scored(0.5, false), scored(0.5, false), scored(0.5, true)];
    const { averagePrecision, fprAtRecall50, recallAtAlertsPerDay } = rankingOf(logins);
    assert.equal(averagePrecision, (1 / 3 + 2 / 4) / 2);
    assert.equal(fprAtRecall50, 1);
    assert.deepEqual(recallAtAlertsPerDay, { "1": 0, "5": 1, "10": 1, "50": 1 });
  });

  test("a budget inside a tie takes its negatives first, whichever came first", () => {
    for (const order of [1, -1]) {
      const logins = [...Array.from({ length: 5 }, () => scored(0.5, false)), scored(0.5, true)];
      if (order === -1) logins.reverse();
      assert.equal(rankingOf(logins).recallAtAlertsPerDay["5"], 0);
      assert.equal(rankingOf(logins).recallAtAlertsPerDay["10"], 1);
    }
  });

  test("0 and -0 are a tie", () => {
    assert.equal(rankingOf([scored(-0, true), scored(0, false)]).averagePrecision, 1 / 2);
  });
});

describe("what can't be told is null", () => {
  test("every metric without positives", () => {
    const none = {
      averagePrecision: null,
      fprAtRecall50: null,
      recallAtShare: { "0.001": null, "0.005": null, "0.01": null },
      recallAtAlertsPerDay: { "1": null, "5": null, "10": null, "50": null },
    };
    const one = { scored: 1, positives: 0, ...none };
    assert.deepEqual(rankingOf([scored(0.5, false)]), { ...one, incidents: one });
    const empty = { scored: 0, positives: 0, ...none };
    assert.deepEqual(rankingOf([]), { ...empty, incidents: empty });
  });

  test("the false-positive rate without negatives", () => {
    const { averagePrecision, fprAtRecall50 } = rankingOf([scored(0.5, true)]);
    assert.equal(averagePrecision, 1);
    assert.equal(fprAtRecall50, null);
  });
});

describe("by scenario", () => {
  const DAY = 86_400_000;
  const login = (score: number, scenario: string | undefined, incident: string, timeMs = 0) => ({
    score,
    positive: scenario !== undefined,
    timeMs,
    incident,
    scenario,
  });

  test("each scenario's share among the oddest of each day, all scenarios and the rest in one list", () => {
    const accumulator = new RankingAccumulator();
    for (let i = 0; i < 9; i++) accumulator.add(login(0.1 + i / 1000, undefined, `quiet ${i}`));
    accumulator.add(login(0.2, "star", "s"));
    accumulator.add(login(0.3, "chain", "c"));
    accumulator.add(login(0.4, "star", "s"));
    accumulator.add(login(0.9, "chain", "d", DAY));
    assert.deepEqual(accumulator.byScenario(), {
      star: {
        positives: 2,
        recallAtAlertsPerDay: { "10": 1 / 2, "50": 1 },
        incidents: { positives: 1, recallAtAlertsPerDay: { "10": 1, "50": 1 } },
      },
      chain: {
        positives: 2,
        recallAtAlertsPerDay: { "10": 1 / 2, "50": 1 },
        incidents: { positives: 2, recallAtAlertsPerDay: { "10": 1 / 2, "50": 1 } },
      },
    });
  });

  test("an incident of two scenarios counts for the one that came first", () => {
    const accumulator = new RankingAccumulator();
    accumulator.add(login(0.2, "star", "both"));
    accumulator.add(login(0.1, "chain", "both"));
    assert.equal(accumulator.byScenario()?.["star"]?.incidents.positives, 1);
    assert.deepEqual(accumulator.byScenario()?.["chain"]?.incidents, {
      positives: 0,
      recallAtAlertsPerDay: { "10": null, "50": null },
    });
  });

  test("is not there if no label names one", () => {
    const accumulator = new RankingAccumulator();
    accumulator.add(scored(0.1, true));
    assert.equal(accumulator.byScenario(), undefined);
  });
});

test("curves begin and end where the figures are", () => {
  const accumulator = new RankingAccumulator();
  for (const login of [scored(0.1, false), scored(0.2, true), scored(0.3, true)]) accumulator.add(login);
  const { precisionRecall, recallPerDay } = accumulator.curves()!;
  assert.deepEqual(precisionRecall, [
    { recall: 1 / 2, precision: 1 / 2 },
    { recall: 1, precision: 2 / 3 },
  ]);
  assert.deepEqual(recallPerDay.slice(0, 3), [
    { alertsPerDay: 1, recall: 0 },
    { alertsPerDay: 2, recall: 1 / 2 },
    { alertsPerDay: 3, recall: 1 },
  ]);
  assert.equal(new RankingAccumulator().curves(), undefined);
});

test("a score that is no number is a bug", () => {
  assert.throws(() => rankingOf([scored(Number.NaN, true)]), { code: "ERR_ASSERTION" });
  assert.throws(() => rankingOf([scored(0.1, true, Number.NaN)]), { code: "ERR_ASSERTION" });
});

test("the result can be asked for at any time, and leaves the accumulator as it was", () => {
  const accumulator = new RankingAccumulator();
  accumulator.add(scored(0.1, true));
  const first = accumulator.result();
  assert.deepEqual(accumulator.result(), first);
  accumulator.add(scored(0.05, false));
  assert.equal(accumulator.scored, 2);
  assert.equal(accumulator.result().averagePrecision, 1 / 2);
});

test("any logins, full of ties, rank as the naive implementation says", () => {
  const login = fc.record({
    score: fc.oneof(fc.constantFrom(0.1, 0.2, 0.3), fc.double({ min: 0, max: 1, noNaN: true })),
    positive: fc.boolean(),
    timeMs: fc.integer({ min: 0, max: 4 * DAY_MS }),
    incident: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("a", "b")),
  });
  fc.assert(
    fc.property(fc.array(login, { minLength: 1, maxLength: 400, size: "max" }), (logins) => {
      assert.deepEqual(rankingOf(logins), { ...naive(logins), incidents: naiveIncidents(logins) });
    }),
    { numRuns: 200 },
  );
});

test("more logins than one chunk holds rank as the naive implementation says", () => {
  // Quadratic in the positives, so few of them.
  const logins = Array.from({ length: 150_000 }, (_, i) =>
    scored(((i * 7919) % 50_021) / 50_021, i % 15_000 === 11, (i % 9) * DAY_MS, `${i % 70_000}`),
  );
  assert.deepEqual(rankingOf(logins), { ...naive(logins), incidents: naiveIncidents(logins) });
});

describe("spread over seeds", () => {
  test("every number becomes its mean, lowest and highest, in the same shape", () => {
    const spread = spreadOverSeeds([
      rankingOf([scored(0.1, true), scored(0.2, false)]),
      rankingOf([scored(0.2, true), scored(0.1, false)]),
    ]);
    assert.deepEqual(spread.averagePrecision, { mean: 0.75, min: 0.5, max: 1 });
    assert.deepEqual(spread.scored, { mean: 2, min: 2, max: 2 });
    assert.deepEqual(spread.incidents.recallAtAlertsPerDay["1"], { mean: 0.5, min: 0, max: 1 });
    assert.deepEqual(Object.keys(spread.incidents), Object.keys(rankingOf([]).incidents));
  });

  test("what is null for one seed is null for all", () => {
    const spread = spreadOverSeeds([rankingOf([scored(0.1, true)]), rankingOf([scored(0.1, false)])]);
    assert.equal(spread.averagePrecision, null);
    assert.deepEqual(spread.positives, { mean: 0.5, min: 0, max: 1 });
  });

  test("of no results is a bug", () => {
    assert.throws(() => spreadOverSeeds([]), { code: "ERR_ASSERTION" });
  });
});
