#!/usr/bin/env bash
# The unit of app/tree where the app is installed as Mastodon's guide does it. Each part looks first, so that a run that was
# cut off goes on where it was. All but packages and Node is done as the app's user.
set -Eeuo pipefail
scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
step=app/tree SIDE=target explained=no
. "$scripts/lib.sh"
. "$scripts/lib/packages.sh"
# shellcheck source=/dev/null
. "$run/app-tree.settings"

packages=(
  git curl ca-certificates file imagemagick ffmpeg libvips-tools build-essential autoconf bison pkg-config protobuf-compiler
  libprotobuf-dev libpq-dev libxml2-dev libxslt1-dev libssl-dev libyaml-dev libreadline-dev zlib1g-dev libncurses-dev
  libffi-dev libgdbm-dev libidn-dev libicu-dev libjemalloc-dev
)
# Rails does not start without secrets, and the real ones are the next step's. Nothing that is built here depends on them.
placeholders=(
  SECRET_KEY_BASE=placeholder OTP_SECRET=placeholder ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=placeholder
  ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=placeholder ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=placeholder
)
rbenv=$APP_HOME/.rbenv
parts=0

# part NAME LOOK WORK: does WORK unless LOOK finds it done; what it says is the unit's progress and journal.
part() {
  local name=$1 look=$2 work=$3
  if "$look" >/dev/null 2>&1; then return; fi
  echo "$name" >"$run/app-tree.progress"
  "$work" 2>&1 </dev/null | stdbuf -oL tr '\r' '\n' | sed -u "/^\s*\$/d; s/^/$name: /" | tee "$run/app-tree.progress"
  "$look" >/dev/null || die "$name of the app, now that they are installed" "$(tail -n 1 "$run/app-tree.progress")" "see \`journalctl -u trunkline-app-tree\` on the target; a server with little memory may need swap"
  parts=$((parts + 1))
}

# as_app CMD…: in the app's folder as its user, with nothing of root's environment.
as_app() {
  (cd "$APP_DIR" && exec runuser -u "$APP_USER" -- env -i HOME="$APP_HOME" USER="$APP_USER" SHELL=/bin/bash LANG=C.UTF-8 \
    PATH="$rbenv/shims:$rbenv/bin:/usr/local/bin:/usr/bin:/bin" RAILS_ENV=production COREPACK_ENABLE_DOWNLOAD_PROMPT=0 \
    GIT_TERMINAL_PROMPT=0 GIT_HTTP_LOW_SPEED_LIMIT=1000 GIT_HTTP_LOW_SPEED_TIME=60 "$@")
}

packages_there() { [[ -z "$(not_installed "${packages[@]}")" ]]; }
install_packages() {
  apt update || echo "apt-get update failed; trying with the lists that are there"
  apt install "${packages[@]}"
}

# The commit that is wanted, as far as this checkout knows it.
wanted_commit() {
  local name
  for name in "refs/tags/$APP_REF" "refs/remotes/origin/$APP_REF" "$APP_REF"; do
    as_app git rev-parse --quiet --verify "$name^{commit}" && return
  done
  return 1
}
code_there() {
  local commit
  commit="$(wanted_commit)" && [[ "$(as_app git rev-parse HEAD)" == "$commit" ]]
}
get_code() {
  local commit group
  group="$(id -gn "$APP_USER")"
  # The web server reads what is public below it.
  [[ -d $APP_HOME ]] || install -d -m 0711 -o "$APP_USER" -g "$group" "$APP_HOME"
  [[ -d $APP_DIR ]] || install -d -o "$APP_USER" -g "$group" "$APP_DIR"
  as_app git init --quiet
  # A git that was killed leaves its locks; none but this unit is at work here.
  as_app find .git -name '*.lock' -type f -delete
  as_app git config remote.origin.url "$APP_REPOSITORY"
  as_app git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
  as_app git fetch --tags --force --progress origin
  commit="$(wanted_commit)" || die "$APP_REF in $APP_REPOSITORY" "no tag, branch or commit of that name" "push it there, or set appRepository and appRef"
  as_app git checkout --force --detach "$commit"
}

node_wanted() { grep -oE '[0-9]+' "$APP_DIR/.nvmrc" | head -n 1; }
node_there() { [[ "$(node --version)" == "v$(node_wanted)."* ]] && command -v corepack && command -v yarn; }
install_node() {
  local major
  major="$(node_wanted)"
  [[ "$(apt-cache policy nodejs | awk '$1 == "Candidate:" { print $2 }')" == "$major".* ]] || add_node_archive "$major"
  apt install nodejs
  command -v corepack || npm install --global corepack
  corepack enable
}
add_node_archive() { # MAJOR: the one that the guide names
  local key=/etc/apt/keyrings/trunkline-node.asc at=https://deb.nodesource.com
  curl --fail --silent --show-error --location --max-time 60 "$at/gpgkey/nodesource-repo.gpg.key" | put_file "$key" 0644 root:root
  put_file /etc/apt/sources.list.d/trunkline-node.list 0644 root:root <<<"deb [signed-by=$key] $at/node_$1.x nodistro main"
  apt update
}

ruby_wanted() { tr -d '[:space:]' <"$APP_DIR/.ruby-version"; }
ruby_there() { [[ "$(as_app ruby --version)" == "ruby $(ruby_wanted)"[\ p]* ]] && as_app bundle --version; }
install_ruby() {
  get_tool https://github.com/rbenv/rbenv.git "$rbenv"
  get_tool https://github.com/rbenv/ruby-build.git "$rbenv/plugins/ruby-build"
  # What a compilation that was cut off has left.
  as_app find /tmp -maxdepth 1 -name 'ruby-build.*' -user "$APP_USER" -exec rm -rf {} +
  as_app env RUBY_CONFIGURE_OPTS=--with-jemalloc MAKE_OPTS="-j$(nproc)" rbenv install --force "$(ruby_wanted)"
  as_app rbenv global "$(ruby_wanted)"
  # For people who become this user to run tootctl.
  as_app grep -qs rbenv "$APP_HOME/.bashrc" ||
    as_app tee -a "$APP_HOME/.bashrc" <<<$'export PATH="$HOME/.rbenv/bin:$PATH"\neval "$(rbenv init -)"'
}
get_tool() { # URL FOLDER: cloned whole or not at all; one that is there learns of new versions
  if [[ -d $2/.git ]]; then
    as_app git -C "$2" pull --quiet --ff-only || true
  elif [[ ! -d $2 ]]; then
    as_app rm -rf "$2.part"
    as_app git clone --quiet "$1" "$2.part"
    as_app mkdir -p "$(dirname "$2")"
    as_app mv -T "$2.part" "$2"
  fi
}

gems_there() { [[ -f $APP_DIR/.bundle/config ]] && as_app bundle check; }
install_gems() {
  as_app bundle config set --local deployment true
  as_app bundle config set --local without 'development test'
  as_app bundle install "-j$(nproc)"
}

# Yarn writes one of these when it is through: 4 and later the first, 1 the second.
modules_there() {
  local mark
  for mark in .yarn-state.yml .yarn-integrity; do [[ ! $APP_DIR/node_modules/$mark -nt $APP_DIR/yarn.lock ]] || return 0; done
  return 1
}
install_modules() {
  local locked=--immutable
  [[ "$(as_app yarn --version)" != 1.* ]] || locked=--pure-lockfile
  as_app yarn install "$locked"
}

# The last that it makes is the page of the error 500.
assets_there() { [[ $APP_DIR/public/assets/500.html -nt $APP_DIR/.git/HEAD ]]; }
make_assets() { as_app env "${placeholders[@]}" bin/rails assets:precompile; }

part packages packages_there install_packages
part code code_there get_code
part node node_there install_node
part ruby ruby_there install_ruby
part gems gems_there install_gems
part modules modules_there install_modules
part assets assets_there make_assets
echo "$parts" >"$run/app-tree.result"
