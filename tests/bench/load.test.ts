import assert from "node:assert/strict";
import { test } from "node:test";
import { check, longestSilence, writesPerSecond } from "../../rehearsal/bench/load";
import type { LoadRecord } from "../../rehearsal/bench/load/record";

/** Two clients appended rows 1 to 3, a third one counted to 2. */
const record: LoadRecord = {
  run: 7,
  appends: [
    { at: 1000, client: 2, from: 1, to: 2 },
    { at: 1010, client: 3, from: 1, to: 3 },
    { at: 1300, client: 2, from: 3, to: 3 },
  ],
  counts: [
    { at: 1005, value: 1 },
    { at: 1320, value: 2 },
  ],
  failed: [],
  longestWaitMs: 290,
};
const rows = [2, 3].flatMap((client) => [1, 2, 3].map((seq) => ({ client, seq, times: 1 })));

test("the books of a load are right when everything is there once", () => {
  assert.deepEqual(check(record, { rows, counter: 2 }), {
    acknowledged: 8,
    failed: 0,
    lost: 0,
    duplicated: 0,
  });
});

test("an acknowledged row that is gone counts as lost", () => {
  const missing = rows.filter((r) => !(r.client === 3 && r.seq === 2));
  assert.equal(check(record, { rows: missing, counter: 2 }).lost, 1);
});

test("a counter that went back counts as lost", () => {
  assert.equal(check(record, { rows, counter: 1 }).lost, 1);
});

test("a row that is there twice counts as duplicated", () => {
  const twice = rows.map((r) => (r.client === 2 && r.seq === 1 ? { ...r, times: 2 } : r));
  assert.equal(check(record, { rows: twice, counter: 2 }).duplicated, 1);
});

test("a value of the counter that two servers gave counts as duplicated", () => {
  const split = { ...record, counts: [...record.counts, { at: 1330, value: 2 }] };
  assert.equal(check(split, { rows, counter: 2 }).duplicated, 1);
});

test("rows that were written and never acknowledged are neither lost nor duplicated", () => {
  const more = [...rows, { client: 3, seq: 4, times: 1 }];
  assert.deepEqual(check(record, { rows: more, counter: 9 }), check(record, { rows, counter: 2 }));
});

test("requests that met an error are counted once each", () => {
  const failed = [{ at: 1100, client: 2, error: "server closed the connection unexpectedly" }];
  assert.equal(check({ ...record, failed }, { rows, counter: 2 }).failed, 1);
});

test("the silence is the longest time in which nobody was told anything", () => {
  assert.equal(longestSilence(record), 290);
  assert.equal(longestSilence({ ...record, appends: [], counts: [] }), 0);
});

test("the rate counts rows, not requests", () => {
  assert.equal(writesPerSecond(record, 900, 1100), 30);
});
