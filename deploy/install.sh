#!/usr/bin/env bash
# Claude Workers on Debian 12 or Ubuntu 24.04, with systemd and without containers. Run it from the
# checkout, as root; run it again to update, agents go on meanwhile.
#   deploy/install.sh               broker, host, beat and Flower, and the command cw; on a machine that
#                                   has joined a fleet, only what is there already
#   deploy/install.sh --join [CA.pem]  only a host; the broker's URL (rediss://…) on standard input;
#                                   CA.pem: the certificate it has, if that is one of your own. Both stay
#                                   until others are given (/dev/null: no certificate)
#   deploy/install.sh --uninstall   everything but the data: /home/worker, /var/lib/cw, /var/lib/cw-broker,
#                                   and /etc/cw as /var/lib/cw-etc, for the next installation
# GH_TOKEN, when it is set at the first time, becomes the token for labels and comments.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
umask 022

USER_NAME=worker
VENV=/opt/cw
CONF=/etc/cw
STATE=/var/lib/cw
SECRETS=$STATE/secrets
KEPT=/var/lib/cw-etc
UNITS=/etc/systemd/system
ALL=(cw-broker cw-host cw-beat cw-flower)
APPARMOR=/etc/apparmor.d/cw-bwrap

say() { printf '%s\n' "install.sh: $*"; }

fail() {
  say "$1" >&2
  exit "${2:-1}"
}

check_machine() {
  [ "$(id -u)" = 0 ] || fail "run it as root" 2
  [ -d /run/systemd/system ] || fail "systemd does not run here; see docs/deploy.md for containers" 2
  # shellcheck source=/dev/null
  . /etc/os-release
  case $ID:$VERSION_ID in
    debian:12 | ubuntu:24.04) ;;
    *) [ -n "${CW_ANY_SYSTEM:-}" ] ||
      fail "made for Debian 12 and Ubuntu 24.04, not $PRETTY_NAME; CW_ANY_SYSTEM=1 tries it anyway" 2 ;;
  esac
}

packages() {
  local missing=() one had_redis=''
  [ -e /usr/bin/redis-server ] && had_redis=1
  # file:package
  for one in /usr/bin/git:git /usr/bin/bwrap:bubblewrap /usr/bin/socat:socat /usr/bin/rg:ripgrep \
    /usr/bin/ssh:openssh-client /etc/ssl/certs/ca-certificates.crt:ca-certificates \
    ${with_broker:+/usr/bin/redis-server:redis-server}; do
    [ -e "${one%%:*}" ] || missing+=("${one#*:}")
  done
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
  # The package starts a broker of its own, without a password; ours has its own unit.
  [ -n "$had_redis" ] || systemctl disable --quiet --now redis-server.service 2>/dev/null || true
}

user() {
  id "$USER_NAME" >/dev/null 2>&1 ||
    useradd --create-home --home-dir "/home/$USER_NAME" --shell /bin/bash --user-group "$USER_NAME"
  chmod 700 "/home/$USER_NAME"
  install -d -m 700 -o "$USER_NAME" -g "$USER_NAME" "$STATE" "$SECRETS"
}

program() {
  say "installing the program into $VENV"
  [ -x $VENV/bin/python3 ] || python3 -m venv $VENV
  local pip=("$VENV/bin/python3" -m pip --quiet --no-input --disable-pip-version-check)
  "${pip[@]}" install --no-deps --require-hashes -r deploy/requirements.txt -r deploy/claude.txt
  local build
  build=$(mktemp -d)
  "${pip[@]}" install --no-deps --require-hashes --target "$build" -r deploy/build.txt
  PYTHONPATH=$build "${pip[@]}" install --no-deps --no-build-isolation --force-reinstall .
  rm -rf "$build"
  install -m 755 deploy/systemd/cw /usr/local/bin/cw
}

random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

# put NAME: standard input becomes the secret.
put() {
  (umask 077 && cat >"$SECRETS/$1")
  chown "$USER_NAME:$USER_NAME" "$SECRETS/$1"
}

# keep NAME: the same, unless there is one.
keep() {
  if [ -s "$SECRETS/$1" ]; then
    cat >/dev/null
  else
    put "$1"
  fi
}

# Whether this machine's broker is elsewhere.
joined() {
  case $(cat $SECRETS/broker_url 2>/dev/null) in
    '' | unix://*@/run/cw-broker/socket*) return 1 ;;
  esac
}

# The broker's URL, with --join: from the standard input, else the one it has.
broker_elsewhere() {
  local url=''
  IFS= read -r url || true
  if [ -z "$url" ] && joined; then return; fi
  case $url in
    rediss://*@*) ;;
    *) fail "the broker's URL is wanted on standard input, like rediss://:password@host:6379/0" 2 ;;
  esac
  [ "$url" != "$(cat $SECRETS/broker_url 2>/dev/null)" ] || return 0
  [ ! -s $SECRETS/broker_url ] || say "the broker is another one from now on: rediss://…@${url##*@}"
  printf %s "$url" | put broker_url
}

# keep_file NAME: /etc/cw/NAME from the standard input, unless it is there: it is the owner's to change.
keep_file() {
  if [ -e "$CONF/$1" ]; then
    cat >/dev/null
  else
    cat >"$CONF/$1"
  fi
}

# certificate FILE: what the broker's must come from; none, when the file is empty.
certificate() {
  local line=CW_BROKER_CA=$CONF/broker-ca.pem
  if [ ! -s "$1" ]; then
    rm -f $CONF/broker-ca.pem
    sed -i '/^CW_BROKER_CA=/d' $CONF/environment
    return
  fi
  install -m 644 "$1" $CONF/broker-ca.pem
  grep -qxF "$line" $CONF/environment && return
  sed -i '/^CW_BROKER_CA=/d' $CONF/environment
  sed -i "\$a $line" $CONF/environment
  say "$CONF/environment: $line"
}

# What the last uninstallation left, if this is the next installation.
take_back() {
  local one
  if [ -d $KEPT ] && [ ! -e $CONF ]; then
    mv $KEPT $CONF
    for one in "${ALL[@]}"; do
      [ ! -d "$CONF/$one.service.d" ] || mv "$CONF/$one.service.d" $UNITS/
    done
    say "taking back the settings of $KEPT"
  fi
}

# Agents can read /etc: nothing secret is in it.
configuration() {
  local password
  take_back
  install -d -m 755 $CONF
  printf %s "${GH_TOKEN:-}" | keep github_token
  keep_file environment <<TEXT
# NAME=value, one a line; nothing is expanded. For the units and the command cw.
CW_CONFIG=$CONF/config.toml
CW_BROKER_URL_FILE=$SECRETS/broker_url
CW_GITHUB_TOKEN_FILE=$SECRETS/github_token
PATH=$VENV/bin:/usr/local/bin:/usr/bin:/bin
LANG=C.UTF-8
TEXT
  [ -z "$ca" ] || certificate "$ca"
  keep_file config.toml <<TEXT
# docs/settings.md lists them all. After a change: systemctl restart cw-host cw-beat cw-flower
[host]
workers_root = "/home/$USER_NAME/workers"
state_dir = "$STATE"

[agent]
user = "$USER_NAME" # should root ever start a host: agents never are root
TEXT
  [ -n "$with_broker" ] || return 0
  random | keep broker_password
  password=$(cat "$SECRETS/broker_password")
  printf 'unix://:%s@/run/cw-broker/socket?db=0' "$password" | keep broker_url
  # Below its first lines the file is the owner's: a port with TLS for more hosts, for example.
  keep_file redis.conf <<TEXT
port 0
unixsocket /run/cw-broker/socket
unixsocketperm 770
user default on #$(printf %s "$password" | sha256sum | cut -d' ' -f1) ~* &* +@all
dir /var/lib/cw-broker
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
TEXT
  chown root:redis $CONF/redis.conf
  chmod 640 $CONF/redis.conf
}

# One in the other, as agents have them: the host's wall, and in it that of claude's sandbox.
bubblewrap_works() {
  local wall=(bwrap --die-with-parent --new-session --unshare-user --unshare-pid --unshare-ipc
    --unshare-uts --unshare-net --cap-drop ALL --ro-bind / / --proc /proc --dev /dev)
  runuser -u "$USER_NAME" -- "${wall[@]}" "${wall[@]}" true
}

# Ubuntu 24.04 needs a rule for whoever makes user namespaces.
wall() {
  bubblewrap_works 2>/dev/null && return
  if [ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ]; then
    say "allowing bubblewrap to make user namespaces ($APPARMOR)"
    install -m 644 deploy/apparmor/cw-bwrap $APPARMOR
    apparmor_parser --replace $APPARMOR
  fi
  bubblewrap_works || say "bubblewrap does not work here, so agents cannot be walled in: cw doctor"
}

# Which units this machine has: those of its role. A machine that has joined keeps what it has besides,
# but for the moment it joins.
choose_services() {
  local one
  SERVICES=("${ALL[@]}")
  [ -z "$with_broker" ] || return 0
  SERVICES=()
  for one in "${ALL[@]}"; do
    if [ "$one" = cw-host ] || { [ -z "$join" ] && [ -e "$UNITS/$one.service" ]; }; then
      SERVICES+=("$one")
    elif [ -e "$UNITS/$one.service" ]; then
      say "$one is not needed any more; its data stays"
      systemctl disable --quiet --now "$one" || true
      rm -f "$UNITS/$one.service"
    fi
  done
}

services() {
  local one
  choose_services
  for one in "${SERVICES[@]}"; do
    install -m 644 "deploy/systemd/$one.service" $UNITS/
  done
  systemctl daemon-reload
  systemctl enable --quiet "${SERVICES[@]}"
  for one in "${SERVICES[@]}"; do
    # A running broker is left alone: only its configuration's owner knows when it may restart.
    if [ "$one" != cw-broker ] || ! systemctl is-active --quiet cw-broker; then
      systemctl restart "$one" || fail "$one does not start: journalctl -u $one"
    fi
  done
}

uninstall() {
  local one
  for one in cw-flower cw-beat cw-host cw-broker; do
    [ -e $UNITS/$one.service ] || continue
    # The host leaves its agents alone; here they end, too.
    [ $one != cw-host ] || systemctl kill --kill-who=all --signal=SIGTERM $one 2>/dev/null || true
    systemctl disable --quiet --now $one || true
    rm -f $UNITS/$one.service
  done
  systemctl daemon-reload
  systemctl reset-failed 'cw-*' 2>/dev/null || true
  if [ -e $APPARMOR ]; then
    apparmor_parser --remove $APPARMOR || true
    rm -f $APPARMOR
  fi
  keep_settings
  rm -rf $VENV
  rm -f /usr/local/bin/cw
  say "uninstalled. The data stays: /home/$USER_NAME, $STATE, /var/lib/cw-broker, and the settings as" \
    "$KEPT; also the user $USER_NAME and Debian's packages"
}

# They are the owner's: take_back finds them. Not below $STATE, where agents' user could change them.
keep_settings() {
  local one
  [ -d $CONF ] || return 0
  rm -rf $KEPT
  mv $CONF $KEPT
  for one in "${ALL[@]}"; do
    [ ! -d "$UNITS/$one.service.d" ] || mv "$UNITS/$one.service.d" $KEPT/
  done
}

join=''
ca=''
case ${1:-} in
  '') ;;
  --join)
    join=1
    if [ -n "${2:-}" ]; then
      ca=$(cd "$here" && readlink -f "$2") && [ -r "$ca" ] || fail "no such certificate: $2" 2
    fi
    ;;
  --uninstall)
    check_machine
    uninstall
    exit
    ;;
  *)
    sed -n '2,13s/^# \{0,1\}//p' deploy/install.sh
    case $1 in -h | --help) exit ;; *) exit 2 ;; esac
    ;;
esac
check_machine
with_broker=1
if [ -n "$join" ] || joined; then with_broker=''; fi
packages
user
[ -z "$join" ] || broker_elsewhere
program
configuration
wall
services
[ -z "$join" ] || say "the fleet's signing key belongs into $STATE/signing.key: docs/deploy.md"
say "it runs. Next: GH_TOKEN=… ANTHROPIC_API_KEY=… cw init 01..04"
