import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Progress } from "../../../src/cli/terminal/progress.ts";

const ERASE = "\r\u001b[K";
const SCREEN = { isLive: true, columns: 120, hasColor: false };

/** A clock one sets, and a stream that keeps what was written. */
function fixture(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  const clock = { ms: 1_000_000 };
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  const screen = isTTY ? { ...SCREEN, columns } : undefined;
  return { written, clock, progress: new Progress({ stream, now: () => clock.ms, screen }) };
}

describe("on a terminal", () => {
  test("one line is rewritten with percent, records, rate, time left and phase", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 0, bytesRead: 0, bytesTotal: 10_000 });
    clock.ms += 1000;
    progress.phase("training epoch 2, step 30 of 60");
    clock.ms += 1000;
    progress.update({ records: 2500, bytesRead: 2000, bytesTotal: 10_000 });
    assert.equal(written[0], `${ERASE}  0 %  0 records`);
    assert.equal(
      written.at(-1),
      `${ERASE} 20 %  2,500 records  1,250/s  8 s left  training epoch 2, step 30 of 60`,
    );
    clock.ms += 100;
    progress.phase(undefined);
    assert.doesNotMatch(written.at(-1)!, /training/);
  });

  test("it is written at most ten times a second", () => {
    const { written, clock, progress } = fixture(true);
    for (let i = 0; i <= 3000; i++) {
      progress.update({ records: i });
      clock.ms++;
    }
    assert.equal(written.length, 31);
  });

  test("the rate is that of the last seconds, not of the whole run", () => {
    const { written, clock, progress } = fixture(true);
    let records = 0;
    const work = (seconds: number, perSecond: number) => {
      for (let i = 0; i < seconds * 10; i++) {
        clock.ms += 100;
        progress.update({ records: (records += perSecond / 10) });
      }
    };
    work(60, 1000);
    assert.match(written.at(-1)!, / {2}1,000\/s/);
    work(6, 50);
    assert.match(written.at(-1)!, / {2}50\/s/);
  });

  test("a standstill shows as a falling rate", () => {
    const { written, clock, progress } = fixture(true);
    for (let i = 0; i <= 50; i++) {
      progress.update({ records: i * 100 });
      clock.ms += 100;
    }
    clock.ms += 44_900;
    progress.phase("training");
    assert.match(written.at(-1)!, / {2}100\/s {2}training/);
  });

  test("a continued run does not count what was read before", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 1_000_000, bytesRead: 5000, bytesTotal: 10_000 });
    clock.ms += 1000;
    progress.update({ records: 1_000_100, bytesRead: 5500, bytesTotal: 10_000 });
    assert.match(written.at(-1)!, / 55 % {2}1,000,100 records {2}100\/s {2}9 s left/);
  });

  test("without a known end there is neither percent nor time left", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 0, bytesRead: 0, bytesTotal: undefined });
    clock.ms += 1000;
    progress.update({ records: 10, bytesRead: 100, bytesTotal: undefined });
    assert.equal(written.at(-1), `${ERASE}10 records  10/s`);
  });

  test("more bytes than expected are 100 %", () => {
    const { written, progress } = fixture(true);
    progress.update({ records: 1, bytesRead: 20, bytesTotal: 10 });
    assert.equal(written.at(-1), `${ERASE}100 %  1 records`);
  });

  test("clear takes the line away, the next word brings it back, and a note stays above", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 1 });
    progress.clear();
    progress.clear();
    assert.deepEqual(written.slice(1), [ERASE]);
    clock.ms += 100;
    progress.update({ records: 2 });
    progress.note("epoch 1 trained");
    assert.deepEqual(written.slice(-2), [ERASE, "epoch 1 trained\n"]);
  });

  test("done clears the line for good", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 1 });
    progress.done();
    progress.done();
    assert.deepEqual(written.slice(1), [ERASE]);
    clock.ms += 1000;
    progress.update({ records: 2 });
    progress.phase("late");
    assert.equal(written.length, 2);
  });

  test("a clock set back does not silence it", () => {
    const { written, clock, progress } = fixture(true);
    progress.update({ records: 1 });
    clock.ms -= 3_600_000;
    progress.update({ records: 2 });
    clock.ms += 1000;
    progress.update({ records: 12 });
    assert.match(written.at(-1)!, /12 records {2}10\/s/);
  });

  test("the line always leaves the last column free, and holds no line break", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 60 }),
        fc.nat(),
        fc.string({ unit: "binary" }),
        (columns, records, phase) => {
          const { written, clock, progress } = fixture(true, columns);
          progress.update({ records, bytesRead: 1, bytesTotal: 100 });
          clock.ms += 100;
          progress.phase(phase);
          for (const text of written) {
            assert(text.startsWith(ERASE));
            const line = text.slice(ERASE.length);
            assert(Array.from(line).length < columns);
            assert.doesNotMatch(line, /\p{Cc}/u);
          }
        },
      ),
    );
  });
});

describe("in a log", () => {
  test("there is a plain line at most every ten seconds, and none in the first ten", () => {
    const { written, clock, progress } = fixture(false);
    for (let i = 0; i < 350; i++) {
      progress.update({ records: i * 10, bytesRead: i, bytesTotal: 1000 });
      clock.ms += 100;
    }
    progress.done();
    assert.equal(written.length, 3);
    assert.equal(written[0], " 10 %  1,000 records  100/s  1 min 30 s left\n");
  });

  test("a note is written, clearing is not", () => {
    const { written, progress } = fixture(false);
    progress.update({ records: 1 });
    progress.clear();
    progress.note("epoch 1 trained");
    assert.deepEqual(written, ["epoch 1 trained\n"]);
  });
});
