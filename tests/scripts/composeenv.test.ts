/** The env file of a Docker Compose project, read and written as Compose v2 does. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const scripts = path.join(__dirname, "../../scripts");
const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-composeenv-"));
const file = path.join(dir, ".env.production");
after(() => rmSync(dir, { recursive: true }));

function python(code: string, input: string): unknown {
  const PYTHONPATH = ["survey", "lib"].map((folder) => path.join(scripts, folder)).join(":");
  const env = { ...process.env, PYTHONPATH };
  const program = `import json, sys\ngiven = json.load(sys.stdin)\n${code}`;
  return JSON.parse(execFileSync("python3", ["-B", "-c", program], { env, input, encoding: "utf8" }));
}

/** What Compose hands on of a file. */
function read(text: string): Record<string, string> {
  writeFileSync(file, text);
  const code = "import dotenv\nprint(json.dumps(dotenv.read(given, 'compose')))";
  return python(code, JSON.stringify(file)) as Record<string, string>;
}

/** The file with what the steps change in it. */
function written(text: string, changes: string, ...what: string[]): string {
  writeFileSync(file, text);
  const argv = ["-B", path.join(scripts, "storage/envfile.py"), file, "compose", ...what];
  return execFileSync("python3", argv, { input: changes, encoding: "utf8" });
}

test("quotes, comments, export and escapes are read as Compose's documentation says", () => {
  const text = String.raw`# VAR=VAL
PLAIN=VAL
SINGLE='VAL' # comment
DOUBLE="VAL # not a comment" # comment
COMMENT=VAL # comment
HASH=VAL# not a comment
LITERAL='$OTHER \n'
APOSTROPHE='Let\'s go!'
JSON="{\"hello\": \"json\"}"
TABS="some\tvalue\\"
BARE=some\tvalue
export  EXPORTED = spaced out  
EMPTY=
LINES="two
lines=x"
YAML: yes
LAST=1
LAST=2
FROM_SHELL
`;
  assert.deepEqual(read(text), {
    ...{ PLAIN: "VAL", SINGLE: "VAL", DOUBLE: "VAL # not a comment", COMMENT: "VAL" },
    ...{ HASH: "VAL# not a comment", LITERAL: "$OTHER \\n", APOSTROPHE: "Let's go!" },
    ...{ JSON: '{"hello": "json"}', TABS: "some\tvalue\\", BARE: "some\\tvalue", EXPORTED: "spaced out" },
    ...{ EMPTY: "", LINES: "two\nlines=x", YAML: "yes", LAST: "2" },
  });
});

test("variables of the same file are put in, outside of single quotes", () => {
  const text = String.raw`A=x
NONE=
B=$A-${"${A}"}-$MISSING.
C="$A \$A $$A"
D=${"${NONE:-soft}"},${"${NONE-hard}"},${"${MISSING-${A}}"},${"${A:+instead}"},${"${NONE:+instead}"}
E='${"${A}"}'
F=5$ and $1
`;
  const { B, C, D, E, F } = read(text);
  assert.deepEqual([B, C, D, E, F], ["x-x-.", "x $A $A", "soft,,x,instead,", "${A}", "5$ and $1"]);
});

test("a file that Compose would refuse is refused, and the variable is named", () => {
  for (const text of ["S3_BUCKET='open\nA=1\n", "S3_BUCKET=${A:?why}\n", 'S3_BUCKET="${A"\n']) {
    writeFileSync(file, text);
    const argv = ["-B", path.join(scripts, "lib/dotenv.py"), "get", file, "S3_BUCKET", "compose"];
    const { status, stderr } = spawnSync("python3", argv, { encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stderr, /ValueError: S3_BUCKET: /);
  }
});

test("what is written reads back as just this, and every other byte stays", () => {
  const others = ["# a note\n\n  B='two\nlines' # kept\n", "C=${A} # c\r\n", 'export D="x\\ty"'] as const;
  const before = `${others[0]}\texport SECRET="old" # gone\n${others[1]}SECRET=again\n${others[2]}`;
  const values = [
    ...[
      "plain/+=",
      "",
      "two words",
      "#x",
      "a #b",
      "p$A${A}$$",
      'say "x"',
      "it's",
      `'"$A\\`,
      "back\\slash\\",
      " x ",
    ],
    ...["\\n", "'\\n", "'\\$A", "`id`;!", "it's\ntwo lines\r"],
  ];
  const code = `import composeenv as c
texts = [c.rewrite(given["before"], {"SECRET": v, "NEW": v}) for v in given["values"]]
print(json.dumps([[text, c.parse(text)] for text in texts]))`;
  const results = python(code, JSON.stringify({ before, values })) as [string, Record<string, string>][];
  for (const [i, [now, { SECRET, NEW }]] of results.entries()) {
    assert.deepEqual([SECRET, NEW], [values[i], values[i]]);
    assert.ok(now.startsWith(`${others[0]}SECRET=`) && now.includes(`\n${others[1]}${others[2]}\nNEW=`), now);
  }
  assert.equal(written(before, "SECRET\n"), others.join(""));
  assert.equal(written("A='x y' # c\nB=1\n", "A\nB\nC\n", "before"), "A=x y\nB=1\nC\n");
  assert.equal(written("", "A=safe\nB=a b\nC=it's $5\n"), `A=safe\nB='a b'\nC="it's $$5"\n`);
});

test("the file of podman-compose or Docker Compose v1 is taken as it stands, that of v2 is parsed", () => {
  const code = `import compose
said, cli = given
compose.run = lambda command: said
print(json.dumps(compose.env_format(cli)))`;
  const format = (said: string, cli: string) => python(code, JSON.stringify([said, cli]));
  assert.equal(format("Docker Compose version v2.24.5\n", "docker compose"), "compose");
  assert.equal(format("docker-compose version 1.29.2, build unknown\n", "docker compose"), "verbatim");
  assert.equal(format("podman-compose version: 1.0.3\n", "docker compose"), "verbatim");
  assert.equal(format("", "podman-compose"), "verbatim");
});
