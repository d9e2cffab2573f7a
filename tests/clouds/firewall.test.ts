/** A cloud's firewall, as packets meet it: rules of the real nft in a network namespace of the test's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { tableFor } from "../../rehearsal/clouds/inlab";

const SERVER = "198.18.1.10";

/** Listens on two ports of the server, and tells which of them answer. */
const probe = `
const net = require("node:net");
const ports = [22, 443];
const connect = (port) => new Promise((resolve) => {
  const socket = net.connect({ port, host: "${SERVER}" });
  const end = (ok) => () => { socket.destroy(); resolve(ok ? [port] : []); };
  // On loopback a connection stands at once: however late this process wakes up, it hears of that first.
  const late = () => setImmediate(end(false));
  socket.once("connect", end(true)).once("error", end(false)).setTimeout(1500, late);
});
Promise.all(ports.map((p) => new Promise((up) => net.createServer().listen(p, "${SERVER}", up))))
  .then(() => Promise.all(ports.map(connect)))
  .then((found) => { console.log(JSON.stringify(found.flat())); process.exit(0); });`;

function open(...tables: string[]): number[] {
  const script = `ip link set lo up; ip addr add ${SERVER}/32 dev lo; nft -f -; exec node -e '${probe}'`;
  const output = execFileSync("unshare", ["--net", "sh", "-ec", script], {
    input: tables.join(""),
    encoding: "utf8",
  });
  return JSON.parse(output) as number[];
}

describe("a cloud's firewall", { skip: process.getuid?.() !== 0 && "needs root: network namespaces" }, () => {
  const all = ["0.0.0.0/0", "::/0"];
  it("lets in what a rule names, and nothing else", () => {
    assert.deepEqual(open(tableFor("new", SERVER, [{ protocol: "tcp", port: "443", sources: all }])), [443]);
    assert.deepEqual(
      open(tableFor("new", SERVER, [{ protocol: "tcp", port: "any", sources: all }])),
      [22, 443],
    );
    assert.deepEqual(
      open(tableFor("new", SERVER, [{ protocol: "tcp", port: "20-30", sources: ["203.0.113.0/24"] }])),
      [],
    );
  });

  it("replaces what was there, and takes it away again", () => {
    const shut = tableFor("new", SERVER, []);
    assert.deepEqual(open(shut), []);
    assert.deepEqual(open(shut, tableFor("new", SERVER, undefined)), [22, 443]);
  });

  it("leaves other servers alone", () => {
    assert.deepEqual(open(tableFor("other", "198.18.1.11", [])), [22, 443]);
  });
});
