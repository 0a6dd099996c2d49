# shellcheck shell=bash
# Sourced by the scripts beside it: makes .venv in the checkout and keeps it up to date.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
NAME=${NAME:-script/$(basename "$0")}

say() { printf '%s\n' "$NAME: $*"; }

fail() {
  say "$1" >&2
  exit "${2:-1}"
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# The first Python that is new enough; PYTHON names another.
find_python() {
  local one
  for one in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$one"; then
      printf '%s\n' "$one"
      return
    fi
  done
  fail "needs Python 3.11 or newer (apt install python3, or set PYTHON to one)"
}

make_venv() {
  local python
  python=$(find_python)
  say "making .venv with $("$python" --version 2>&1)"
  "$python" -m venv --clear "$VENV" >/dev/null 2>&1 ||
    fail "$python cannot make a virtual environment (on Debian: apt install python3-venv)"
}

# Somebody else's .venv will do when it has a pip, or can get one.
usable() {
  new_enough "$VENV/bin/python" && {
    "$VENV/bin/python" -m pip --version || "$VENV/bin/python" -m ensurepip
  } >/dev/null 2>&1
}

# What a .venv does not survive: another folder, another Python.
place() {
  printf '%s with %s' "$ROOT" "$("$VENV/bin/python" --version 2>&1)"
}

# setup EXTRA...: the project and these extras are in .venv. Asks no index when they are already.
# .venv/.cw-setup says what is there: place, checksum of pyproject.toml, extras.
setup() {
  local stamp=$VENV/.cw-setup have='' wanted one
  command -v git >/dev/null || fail "needs git (apt install git)"
  if [ ! -f "$stamp" ]; then
    usable || make_venv
  elif [ "$(sed -n 1p "$stamp")" != "$(place)" ]; then
    make_venv
  elif [ "$(sed -n 2p "$stamp")" = "$(cksum <"$ROOT/pyproject.toml")" ]; then
    have=$(sed -n 3p "$stamp")
  fi
  wanted=$have
  for one in base "$@"; do
    case ,$wanted, in *",$one,"*) ;; *) wanted=${wanted:+$wanted,}$one ;; esac
  done
  [ "$wanted" = "$have" ] || install "$wanted" "$stamp"
  export PATH="$VENV/bin:$PATH"
}

install() {
  local extras=${1#base} began=$SECONDS
  extras=${extras#,}
  say "installing the project${extras:+ with its extras $extras} into .venv"
  case ,$extras, in *,claude,*) say "the extra claude brings the claude program: some 80 MB" ;; esac
  "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
    -e "$ROOT${extras:+[$extras]}" || fail "the installation failed; why is above"
  printf '%s\n' "$(place)" "$(cksum <"$ROOT/pyproject.toml")" "$1" >"$2"
  say "installed in $((SECONDS - began)) s"
}

# A person's own fleet, settings and GitHub are none of our business.
forget_settings() {
  local one
  for one in $(compgen -e CW_); do
    case $one in CW_TEST_*) ;; *) unset "$one" ;; esac
  done
}
