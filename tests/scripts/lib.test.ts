import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { Lab, type LabHost } from "../../rehearsal/lab";

const scripts = path.join(__dirname, "../../scripts");
let lab: Lab;
let host: LabHost;

before(async () => {
  lab = await Lab.start();
  host = await lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys: [] });
  const archive = execFileSync("tar", ["-C", path.dirname(scripts), "-cz", "scripts"], {
    maxBuffer: 64 << 20,
  });
  await host.sh("mkdir -p /opt/trunkline && base64 -d | tar -C /opt/trunkline -xz", {
    input: archive.toString("base64"),
  });
});
after(() => lab.stop());

const odd = [
  "it's",
  '"quoted"',
  "$HOME `id` $(id)",
  "two\nlines\n\nand more",
  "back\\slash",
  "ümläut ☃",
  " spaces ",
  "*",
  "a=b;c&d",
];

/** Makes a step out of bash text, and runs it; `log` is a file on the host for what it says meanwhile. */
async function run(text: string, settings: Record<string, string> = {}, want = "present", log = "") {
  await host.put("/opt/trunkline/scripts/probe/step.sh", text);
  const step = ["bash", "/opt/trunkline/scripts/run", "probe/step"];
  const argv = log ? ["bash", "-c", 'exec "${@:2}" 2>"$1"', "run", log, ...step] : step;
  return host.exec(argv, { input: stdin(settings, want), allowFail: true });
}

/** Kills a step once its unit is at work. */
async function cutOff(text: string): Promise<void> {
  await host.put("/opt/trunkline/scripts/probe/step.sh", text);
  const script = `setsid bash /opt/trunkline/scripts/run probe/step <&0 & step=$!
    for _ in {1..1200}; do ! systemctl is-active -q trunkline-probe || break; sleep 0.05; done
    kill -KILL -- "-$step"; ! wait "$step"; systemctl is-active -q trunkline-probe`;
  await host.sh(script, { input: stdin({}) });
}

function stdin(settings: Record<string, string>, want = "present"): string {
  const all = { WANT: want, SIDE: "source", SOURCE_ADDRESS: "198.18.0.10", ...settings };
  return Object.entries(all)
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
}

const lastLine = (stdout: string) =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Record<string, unknown>;

test("one step at a time on a host: another one waits, and says for whom; the same one follows its unit too", async () => {
  const follow =
    "present() { follow_unit nap 60 -- bash -c 'until [[ -e /root/awake ]]; do sleep 0.1; done'; }";
  const other = "/opt/trunkline/scripts/probe/other.sh";
  await host.put(other, "present() { :; }");
  const first = run(follow);
  await host.sh("timeout 20 bash -c 'until systemctl is-active -q trunkline-nap; do sleep 0.05; done'");
  const second = run(follow, {}, "present", "/root/second");
  await host.sh("timeout 60 bash -c 'until grep -qs following /root/second; do sleep 0.05; done'");
  const third = await host.exec(["bash", "/opt/trunkline/scripts/run", "probe/other"], {
    input: stdin({ LOCK_DEADLINE: "1" }),
    allowFail: true,
  });
  assert.equal(third.code, 1);
  assert.match(third.stderr, /other: another run is at work on this host, at probe\/step; waiting for it/);
  assert.match(
    third.stderr,
    /expected what another run does .* to end within 1 s.* still at probe\/step\. What to do/,
  );
  await host.sh("touch /root/awake");
  assert.equal((await first).code, 0);
  assert.equal((await second).code, 0);
  const said = (await host.sh("cat /root/second; rm /root/second /root/awake")).stdout;
  assert.match(said, /already running as trunkline-nap\.service; following it/);
  const last = await host.exec(["bash", "/opt/trunkline/scripts/run", "probe/other"], { input: stdin({}) });
  assert.equal(last.code, 0);
  await host.sh(`rm ${other}`);
});

test("settings and results keep every byte of odd values", async () => {
  const settings = Object.fromEntries(odd.map((value, i) => [`ODD_${i}`, value]));
  const out = await run(
    `present() { ${odd.map((_, i) => `result r${i} "$ODD_${i}"`).join("; ")}; }`,
    settings,
  );
  assert.equal(out.code, 0, out.stderr);
  assert.deepEqual(lastLine(out.stdout), {
    outcome: "unchanged",
    ...Object.fromEntries(odd.map((v, i) => [`r${i}`, v])),
  });
});

test("stdout is one line of JSON, whatever the step prints", async () => {
  const out = await run(
    "present() { echo chatter; log more; result n 12 id 7312345678901234567 yes true changed x; changed=yes; }",
  );
  assert.deepEqual(lastLine(out.stdout), {
    outcome: "changed",
    n: 12,
    id: "7312345678901234567",
    yes: true,
    changed: "x",
  });
  assert.equal(out.stdout.trim().split("\n").length, 1);
  assert.match(out.stderr, /chatter\nmore/);
});

test("a failure names step, host, what was expected, what was found and what to do", async () => {
  const out = await run('present() { die "three" "four" "count again"; }');
  assert.equal(out.code, 1);
  assert.match(
    out.stderr,
    /probe\/step on old \(source 198\.18\.0\.10\): expected three; found four\. What to do: count again/,
  );
  assert.equal(out.stdout, "");
});

test("an unexpected failure names the place, and no secret", async () => {
  const out = await run('present() {\n  false "$SECRET"\n}', { SECRET: "hunter2" });
  assert.notEqual(out.code, 0);
  assert.match(out.stderr, /probe\/step on old .*status 1 at step\.sh line 2/);
  assert.doesNotMatch(out.stderr, /hunter2/);
});

test("settings that are none are refused without being shown", async () => {
  const input = "WANT='present'\nSIDE='source'\nPASSWORD='hunter2\n";
  const out = await host.exec(["bash", "/opt/trunkline/scripts/run", "probe/step"], {
    input,
    allowFail: true,
  });
  assert.equal(out.code, 2);
  assert.doesNotMatch(out.stderr, /hunter2/);
});

test("a step that is not there is refused", async () => {
  for (const name of ["probe/none", "../etc/passwd", "probe"])
    assert.equal(
      (await host.exec(["bash", "/opt/trunkline/scripts/run", name], { input: "", allowFail: true })).code,
      2,
    );
});

test("what was saved comes back as it was: content, mode, owner, link, absence", async () => {
  await host.sh(
    `cd /root; printf 'a\\nb' >file; chmod 0604 file; chown daemon file; ln -sfn file link; rm -f none`,
  );
  const look = "cd /root; stat -c '%n %F %a %U %s %N' file link; ls none 2>&1 || true; cat file";
  const before = (await host.sh(look)).stdout;
  const text = `
    present() { for f in file link none; do save_original /root/$f; echo new | put_file /root/$f 0600 root:root; done; }
    absent() { for f in file link none; do restore_original /root/$f; done; }`;
  assert.equal(lastLine((await run(text)).stdout)["outcome"], "changed");
  assert.equal(lastLine((await run(text)).stdout)["outcome"], "unchanged");
  assert.notEqual((await host.sh(look)).stdout, before);
  assert.equal(lastLine((await run(text, {}, "absent")).stdout)["outcome"], "changed");
  assert.equal((await host.sh(look)).stdout, before);
  assert.equal(lastLine((await run(text, {}, "absent")).stdout)["outcome"], "unchanged");
});

const goOn = "/root/go-on";
/** Counts its runs, and goes on when it may. */
const counted = `present() { follow_unit probe 60 -- bash -c 'echo run >>/root/runs; until [[ -e ${goOn} ]]; do sleep 0.1; done'; }`;
const runs = async () => (await host.sh("cat /root/runs")).stdout;

test("long work goes on when its step is killed, and the next run attaches to it", async () => {
  await host.sh(`rm -f /root/runs ${goOn}`);
  await cutOff(counted);
  const next = run(counted, {}, "present", "/root/next");
  await host.sh("timeout 60 bash -c 'until grep -qs running /root/next; do sleep 0.05; done'");
  await host.sh(`touch ${goOn}`);
  assert.equal((await next).code, 0);
  assert.match((await host.sh("cat /root/next")).stdout, /already running/);
  assert.equal(await runs(), "run\n");
});

test("two runs at once share one unit", async () => {
  await host.sh(`rm -f /root/runs ${goOn} /root/a /root/b`);
  const both = Promise.all(["/root/a", "/root/b"].map((log) => run(counted, {}, "present", log)));
  await host.sh("timeout 60 bash -c 'until grep -qs following /root/[ab]; do sleep 0.05; done'");
  await host.sh(`touch ${goOn}`);
  assert.deepEqual(
    (await both).map((out) => out.code),
    [0, 0],
    (await host.sh("cat /root/[ab]")).stdout,
  );
  assert.equal(await runs(), "run\n");
});

test("a unit that ended while nobody watched is not run again, and what came of it is there", async () => {
  const result = "/run/trunkline/probe.result";
  const text = counted.replace("done'; }", `done; echo 6 >>${result}'; [[ $(cat ${result}) == 6 ]]; }`);
  await host.sh(`rm -f /root/runs ${goOn}; echo old >${result}`);
  await cutOff(text);
  await host.sh(`touch ${goOn}
    timeout 60 bash -c 'until [[ $(systemctl show -P SubState trunkline-probe) == exited ]]; do sleep 0.1; done'`);
  const out = await run(text);
  assert.equal(out.code, 0, out.stderr);
  assert.match(out.stderr, /ended while nobody watched/);
  assert.equal(await runs(), "run\n");
});

test("a unit that fails tells why, and is started anew by the next run", async () => {
  const failing = "present() { follow_unit probe 30 -- bash -c 'echo the reason; exit 3'; }";
  for (let turn = 0; turn < 2; turn++) {
    const out = await run(failing);
    assert.equal(out.code, 1);
    assert.match(out.stderr, /expected trunkline-probe\.service to end well; found exit-code.*the reason/s);
  }
  assert.equal((await run(counted)).code, 0);
});

test("a wait has a deadline and says what it last saw", async () => {
  const out = await run("look() { echo not yet; false; }\npresent() { wait_until 1 'the thing' look; }");
  assert.match(out.stderr, /expected the thing within 1 s; found not yet/);
});

test("going back leaves no trace, unless something is still kept", async () => {
  await host.sh("cp -a /opt/trunkline /root/copy");
  const text = "absent() { leave_no_trace; }";
  const there =
    "set +o pipefail; ls -d /opt/trunkline /etc/trunkline /var/lib/trunkline /run/trunkline 2>/dev/null | wc -l || true";
  await host.sh("touch /var/lib/trunkline/kept");
  await run(text, {}, "absent");
  assert.equal((await host.sh(there)).stdout.trim(), "4");
  await host.sh("rm /var/lib/trunkline/kept");
  await run(text, {}, "absent");
  assert.equal((await host.sh(there)).stdout.trim(), "0");
});
