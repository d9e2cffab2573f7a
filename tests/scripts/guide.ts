/**
 * What Mastodon's guide takes from elsewhere, in a lab without Internet: git is this machine's own; the archive of packages
 * and the repositories are real ones on the host's disk, under the addresses that the guide has; what would be compiled is
 * stood in for by programs that refuse what the real ones refuse.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { LabHost } from "../../rehearsal/lab";
import { VERSION } from "../../rehearsal/mastodon/app/config";
import { missingPicture, tree } from "../../rehearsal/mastodon/tree";

const nodeMajor = process.versions.node.split(".")[0] ?? "";
export const tag = `v${VERSION}`;
export const upstream = "https://github.com/mastodon/mastodon.git";

/** Packages by the names that Debian 12 has, with the programs in them that anything here calls. */
const archive: Record<string, string[]> = {
  ...{ file: ["file"], ffmpeg: ["ffmpeg", "ffprobe"], imagemagick: ["identify", "convert"] },
  ...{ "libvips-tools": ["vips"], git: [], nodejs: [] },
  ...Object.fromEntries(
    [
      ...[
        "autoconf",
        "bison",
        "build-essential",
        "libffi-dev",
        "libgdbm-dev",
        "libicu-dev",
        "libidn-dev",
        "libjemalloc-dev",
      ],
      ...[
        "libncurses-dev",
        "libpq-dev",
        "libprotobuf-dev",
        "libreadline-dev",
        "libssl-dev",
        "libxml2-dev",
        "libxslt1-dev",
      ],
      ...["libyaml-dev", "pkg-config", "protobuf-compiler", "zlib1g-dev"],
    ].map((name) => [name, []]),
  ),
};

/** Gives a host the archive and git's repositories; made once for all of them. */
export async function furnish(...hosts: LabHost[]): Promise<void> {
  const work = mkdtempSync(path.join(os.tmpdir(), "trunkline-guide-"));
  try {
    packages(path.join(work, "srv/apt"));
    await repositories(path.join(work, "srv/git"));
    put(work, "etc/apt/sources.list", "deb [trusted=yes] file:/srv/apt ./\n");
    put(work, "etc/gitconfig", '[url "file:///srv/git/"]\n\tinsteadOf = https://github.com/\n');
    for (const host of hosts) {
      cpSync(work, host.rootfs, { recursive: true });
      execFileSync("cp", [
        "-a",
        "--parents",
        "/usr/bin/git",
        "/usr/lib/git-core",
        "/usr/share/git-core",
        host.rootfs,
      ]);
      // git reads no repository of another user's; this is the id of the app's.
      await host.sh("chown -R 990:990 /srv/git; rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*");
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

function put(root: string, name: string, text: string | Buffer, mode = 0o644): void {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

const guide = (name: string) => readFileSync(path.join(__dirname, "guide", name), "utf8");

/** An archive that apt can read: packages of real names, and hardly anything in them. */
function packages(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const index = Object.entries(archive).map(([name, programs]) => {
    const root = path.join(folder, "..", name);
    const version = name === "nodejs" ? `${nodeMajor}.0.0-1` : "1.0-1";
    const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: the lab <root@localhost>\nDescription: stands in for ${name}\n`;
    put(root, "DEBIAN/control", control);
    for (const program of programs) put(root, `usr/bin/${program}`, "#!/bin/sh\n", 0o755);
    if (name === "nodejs") put(root, "usr/bin/corepack", guide("corepack"), 0o755);
    const deb = path.join(folder, `${name}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", "--build", root, deb], { stdio: "ignore" });
    rmSync(root, { recursive: true });
    const sum = createHash("sha256").update(readFileSync(deb)).digest("hex");
    return `${control}Filename: ./${name}.deb\nSize: ${statSync(deb).size}\nSHA256: ${sum}\n`;
  });
  put(folder, "Packages", index.join("\n"));
}

async function repositories(folder: string): Promise<void> {
  const nobody = Buffer.from(missingPicture(), "base64");
  const app: Record<string, string | Buffer> = {
    "public/avatars/original/missing.png": nobody,
    "public/headers/original/missing.png": nobody,
    ".gitignore":
      "/public/packs\n/public/assets\n/public/system\n/node_modules\n/vendor/bundle\n/.bundle\n/tmp/*\n/log/*\n.env.production\n",
    ".nvmrc": `${nodeMajor}.0\n`,
    "Gemfile.lock": "GEM\n",
    "yarn.lock": "__metadata:\n",
    "package.json": `{"name": "@mastodon/mastodon", "version": "${VERSION}", "packageManager": "yarn@4.9.2"}\n`,
  };
  const modes: Record<string, number> = {};
  for (const { path: name, text, mode } of await tree(""))
    if (!name.startsWith("/public/packs/")) {
      app[name.slice(1)] ??= text;
      modes[name.slice(1)] = mode ?? 0o644;
    }
  repository(path.join(folder, "mastodon/mastodon.git"), app, modes);
  repository(path.join(folder, "rbenv/rbenv.git"), {
    "bin/rbenv": guide("rbenv"),
    ".gitignore": "/shims\n/versions\n/version\n/plugins\n",
  });
  repository(path.join(folder, "rbenv/ruby-build.git"), {
    "bin/rbenv-install": guide("rbenv-install"),
    [`share/ruby-build/${String(app[".ruby-version"]).trim()}`]: "",
    "share/ruby-build/programs/ruby": guide("ruby"),
    "share/ruby-build/programs/bundle": guide("bundle"),
  });
}

/** A bare repository with one commit, tagged as this release, and a branch beside it. */
function repository(
  bare: string,
  files: Record<string, string | Buffer>,
  modes: Record<string, number> = {},
): void {
  const work = `${bare}.work`;
  for (const [name, text] of Object.entries(files))
    put(work, name, text, modes[name] ?? (name.startsWith("bin/") ? 0o755 : 0o644));
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=lab", "-c", "user.email=lab@localhost", ...words], {
      cwd: work,
      stdio: "pipe",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--force", ".");
  git("commit", "--quiet", "--message=a release");
  git("tag", tag);
  git("commit", "--quiet", "--allow-empty", "--message=what came after");
  git("clone", "--quiet", "--bare", ".", bare);
  rmSync(work, { recursive: true });
}
