import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { htmlReport, type Report } from "../../rehearsal/report";
import { broken, sample, switchedAt } from "./sample";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const dir = mkdtempSync(path.join(tmpdir(), "report-"));
let browser: Browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: flags,
    timeout: 120_000,
  });
});

after(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true });
});

interface Seen {
  page: Page;
  errors: string[];
  asked: string[];
}

/** Opens a report as a person would: from a file, in a real browser. */
async function look(
  name: string,
  r: Report,
  colorScheme: "light" | "dark" = "light",
  width = 1200,
): Promise<Seen> {
  const file = path.join(dir, `${name}.html`);
  writeFileSync(file, htmlReport(r));
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  const seen: Seen = { page, errors: [], asked: [] };
  page.on("console", (m) => m.type() === "error" && seen.errors.push(m.text()));
  page.on("pageerror", (e) => seen.errors.push(e.message));
  page.on("request", (q) => !/^(file|data):/.test(q.url()) && seen.asked.push(q.url()));
  await page.goto(`file://${file}`);
  const shots = process.env["REPORT_SHOTS"];
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
  return seen;
}

test("a good report says so, draws every request of the ten seconds, and asks the network for nothing", async () => {
  const r = sample();
  const { page, errors, asked } = await look("good", r);
  assert.match(await page.locator("#verdict").innerText(), /nobody noticed, nothing is lost.*121 ms/);
  const near = r.requests.filter((q) => Math.abs(q.t - switchedAt) <= 5000);
  assert.equal(await page.locator("svg.plot circle").count(), near.length);
  assert.equal(await page.locator("svg.plot .failed").count(), 0);
  assert.deepEqual(errors, []);
  assert.deepEqual(asked, []);
  await page.close();
});

test("no tile is wider than its box, also with the longest of durations", async () => {
  const { page } = await look("tiles", sample({ seconds: 59 * 60 + 59 }));
  const wide = await page
    .locator(".tile")
    .evaluateAll((all) =>
      all.filter((t) => [...t.children].some((c) => c.scrollWidth > t.clientWidth)).map((t) => t.textContent),
    );
  assert.deepEqual(wide, []);
  await page.close();
});

test("the dots lie in the plot, the held writes high above the others, the pause shaded as wide as it was", async () => {
  const { page } = await look("points", sample());
  const plot = await page.locator("svg.plot").boundingBox();
  const pause = await page.locator("svg.plot .pause").boundingBox();
  assert.ok(plot && pause);
  assert.ok(
    Math.abs(pause.width / plot.width - (121.4 / 10_000) * (886 / 960)) < 0.002,
    `pause is ${pause.width} wide`,
  );
  const dots = await page.locator("svg.plot circle").evaluateAll((all) =>
    all.map((c) => {
      const b = c.getBoundingClientRect();
      return { x: b.x + b.width / 2, y: b.y + b.height / 2, w: b.width };
    }),
  );
  for (const d of dots) {
    assert.ok(d.w > 1, "a dot can be seen");
    assert.ok(d.x >= plot.x && d.x <= plot.x + plot.width && d.y >= plot.y && d.y <= plot.y + plot.height);
  }
  const held = dots.filter((d) => d.x > pause.x && d.x < pause.x + pause.width / 2);
  const median = dots.map((d) => d.y).sort((a, b) => a - b)[dots.length >> 1] ?? 0;
  assert.ok(held.length > 0 && held.every((d) => d.y < median - 20), "held requests stand out");
  await page.close();
});

test("a bad report shows what is wrong: red verdict, crosses, lost figures, findings as text", async () => {
  const { page, errors } = await look("bad", broken());
  assert.match(
    await page.locator("#verdict").innerText(),
    /✘ Not good: 3 things lost, 1 thing there twice, 13 requests failed/,
  );
  assert.equal(await page.locator("#verdict.bad").count(), 1);
  assert.ok((await page.locator("svg.plot .failed").count()) > 5);
  assert.deepEqual(await page.locator(".ledger td.bad").allInnerTexts(), ["2", "1", "1", "1 differ"]);
  assert.match(await page.locator(".findings").innerText(), /public\.follows on <new> & old/);
  assert.deepEqual(errors, []);
  await page.close();
});

test("every phase and every step is there with its time", async () => {
  const r = sample();
  const { page } = await look("timeline", r);
  const text = await page.locator("#timeline").innerText();
  for (const name of [...r.phases.map((p) => p.phase), ...r.steps.map((s) => s.name)])
    assert.ok(text.includes(name), name);
  assert.equal(await page.locator("#timeline .track i").count(), r.steps.length);
  await page.close();
});

test("dark is dark, and nothing is cut off on a narrow screen", async () => {
  const dark = await look("dark", sample(), "dark");
  const shade = await dark.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(shade, "rgb(17, 21, 27)");
  await dark.page.close();
  const narrow = await look("narrow", broken(), "light", 420);
  const over = await narrow.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `the page is ${over} px too wide`);
  await narrow.page.close();
});

test("the way back and a fault have their places", async () => {
  const back = { ...sample().switchover, writePauseMs: 88, at: switchedAt + 60_000 };
  const story = ["the first `up` failed, as it may: no <tunnel>"];
  const fault = {
    name: "tunnel-down",
    title: "the tunnel is down for a minute",
    story,
    ending: "ridden out",
  };
  const { page } = await look("back", sample({ back, backLedger: sample().ledger, fault }));
  assert.equal(await page.locator("section.latency").count(), 2);
  assert.equal(await page.locator("section.ledger").count(), 2);
  assert.match(await page.locator("#fault").innerText(), /tunnel-down[\s\S]*no <tunnel>[\s\S]*ridden out/);
  await page.close();
});

test("figures that were not measured are said to be so, and break nothing", async () => {
  const switchover = {
    ...sample().switchover,
    writePauseMs: NaN,
    redisPauseMs: NaN,
    writesPerSecond: 0,
    steps: undefined,
  };
  const r = sample({ switchover, steps: [], phases: [], requests: [] });
  const { page, errors } = await look("unmeasured", r);
  assert.match(await page.locator(".tile").first().innerText(), /not measured/);
  assert.doesNotMatch(await page.content(), /NaN|undefined/);
  assert.deepEqual(errors, []);
  await page.close();
});
