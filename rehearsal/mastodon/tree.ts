import { VERSION } from "./app/config";
import { bundle, programs } from "./bundle";
import { picture } from "./app/picture";

/** A file of the installation: where, what, and its mode. */
export interface File {
  path: string;
  text: string;
  mode?: number;
}

const [major, minor, patch] = VERSION.split(".");

/** Bundler's launcher. It finds the app by the Gemfile of the folder it is started in, as the real one does. */
const launcher = (node: string) => `#!/usr/bin/env bash
set -euo pipefail
[[ -f Gemfile ]] || { echo "Could not locate Gemfile or .bundle/ directory" >&2; exit 10; }
[[ "\${1:-}" == exec ]] || { echo "bundle: the stand-in has 'bundle exec' only" >&2; exit 15; }
program=\${2:-}
shift 2
case "$program" in
  puma) program=web ;;
  sidekiq) ;;
  rails | bin/rails | tootctl | bin/tootctl) program=\${program#bin/} ;;
  *) echo "bundler: command not found: $program" >&2; exit 127 ;;
esac
exec ${node} "lib/standin/$program.js" "$@"
`;

/** A program in bin/: works from any folder, since the app is found by where the file lies. */
const binary = (name: string, node: string) => `#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
exec ${node} "lib/standin/${name}.js" "$@"
`;

const sidekiqQueues = [
  "[default, 8]",
  "[push, 6]",
  "[ingress, 4]",
  "[mailers, 2]",
  "[pull]",
  "[scheduler]",
  "[fasp]",
];

export const bundler = (node: string) => ({ text: launcher(node), mode: 0o755 });

/** What a user who installs Ruby by rbenv has in their home. */
export const rbenv = (home: string): File[] => [
  { path: `${home}/.rbenv/shims/bundle`, ...bundler("/usr/bin/node") },
  { path: `${home}/.rbenv/version`, text: "3.4.7\n" },
  { path: `${home}/.bashrc`, text: 'export PATH="$HOME/.rbenv/shims:$PATH"\n' },
];

/** Everything below the app's folder except configuration and media. `node` is what its programs run in. */
export async function tree(live: string, node = "/usr/bin/node"): Promise<File[]> {
  const files: File[] = [
    { path: `${live}/.ruby-version`, text: "3.4.7\n" },
    { path: `${live}/.nvmrc`, text: "24.11\n" },
    { path: `${live}/Gemfile`, text: "# The stand-in has no gems; Bundler looks for this file.\n" },
    { path: `${live}/bin/tootctl`, text: binary("tootctl", node), mode: 0o755 },
    { path: `${live}/bin/rails`, text: binary("rails", node), mode: 0o755 },
    { path: `${live}/config/puma.rb`, text: "# The stand-in reads its settings from the environment.\n" },
    {
      path: `${live}/config/sidekiq.yml`,
      text: `---\n:concurrency: 5\n:queues:\n${sidekiqQueues.map((q) => `  - ${q}\n`).join("")}`,
    },
    { path: `${live}/lib/mastodon/version.rb`, text: versionFile() },
    { path: `${live}/streaming/package.json`, text: '{"name": "@mastodon/streaming", "private": true}\n' },
    {
      path: `${live}/package.json`,
      text: `{"name": "@mastodon/mastodon", "version": "${VERSION}", "private": true}\n`,
    },
    {
      path: `${live}/public/500.html`,
      text: "<!DOCTYPE html><title>Error</title><h1>Something went wrong here</h1>\n",
    },
    { path: `${live}/public/robots.txt`, text: "User-agent: *\nDisallow: /media_proxy/\n" },
    { path: `${live}/public/sw.js`, text: "self.addEventListener('install', () => self.skipWaiting());\n" },
    {
      path: `${live}/public/packs/manifest.json`,
      text: '{"application.js": "/packs/application-1a2b3c4d.js"}\n',
    },
    { path: `${live}/public/packs/application-1a2b3c4d.js`, text: "console.log('mastodon');\n" },
    { path: `${live}/public/emoji/1f418.svg`, text: '<svg xmlns="http://www.w3.org/2000/svg"/>\n' },
    { path: `${live}/log/.keep`, text: "" },
    { path: `${live}/tmp/.keep`, text: "" },
  ];
  for (const [path, entry] of Object.entries(programs))
    files.push({ path: `${live}/${path}`, text: await bundle(entry) });
  return files;
}

const versionFile = () => `# frozen_string_literal: true

module Mastodon
  module Version
    module_function

    def major
      ${major}
    end

    def minor
      ${minor}
    end

    def patch
      ${patch}
    end
  end
end
`;

/** Pictures that an account without its own shows; binary, so encoded. */
export const missingPicture = () => picture(300).toString("base64");
