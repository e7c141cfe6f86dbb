# shellcheck shell=bash
# What the tests against other implementations share; sourced. COPAL is the path of the command, BUILD the build folder.
# A check prints "ok - NAME" or "not ok - NAME"; finish ends the test with 1 when one failed. Everything that is started
# is killed at the end, whichever way that comes. All ports are free ones on the loopback interface.
set -u
copal=${COPAL:?COPAL is the path of the command}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
pids=()
checks=0
failures=0
status=0
export NO_COLOR=1 LC_ALL=C
touch "$work/out" "$work/err" "$work/peer"

stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill -CONT "$pid" && kill "$pid"; done 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 143' INT TERM

# --- what is missing

# REASON: ends the test as skipped; as failed where COPAL_NO_SKIP=1 says that nothing may be missing.
skip() {
  echo "$1"
  [ "${COPAL_NO_SKIP:-0}" = 1 ] && exit 1
  exit 77
}

need() { # COMMAND...
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || skip "$command is not installed: scripts/install-dependencies test"
  done
}

need_node() {
  need node
  [ -x "$here/node/node_modules/.bin/coap" ] ||
    skip "the npm packages of tests/interop/node are not installed: scripts/install-dependencies test"
}

# --- peers

free_port() {
  python3 -c 'import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# NAME COMMAND...: runs it in the background; $work/NAME.out and $work/NAME.err are what it prints, $pid is its process.
start() {
  local name=$1
  shift
  touch "$work/$name.out" "$work/$name.err"
  "$@" >>"$work/$name.out" 2>>"$work/$name.err" </dev/null &
  pid=$!
  pids+=("$pid")
}

# FILE PATTERN: until a line of the file matches, for 10 s at most.
wait_for() {
  local _
  for _ in $(seq 200); do
    grep -Eq -- "$2" "$1" 2>/dev/null && return 0
    sleep 0.05
  done
  echo "not ok - $(basename "$1") never had a line like $2"
  sed 's/^/#  /' "$1"
  exit 1
}

# NAME COMMAND...: starts what prints "listening on ...:PORT"; $port is that port.
start_announced() {
  start "$@"
  wait_for "$work/$1.out" '^listening on .*:[0-9]+$'
  port=$(sed -nE 's/^listening on .*:([0-9]+)$/\1/p' "$work/$1.out")
}

# OPTION...: our server; $port and $uri are its own, $work/serve.err what it receives and sends.
start_serve() {
  start_announced serve "$copal" serve --verbose --bind coap://127.0.0.1:0 "$@"
  server_pid=$pid
  uri=coap://127.0.0.1:$port
}

# A peer that receives and says nothing: $silent is its URI.
start_silent() {
  start_announced silent python3 -u -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("listening on udp:%d" % s.getsockname()[1])
time.sleep(60)'
  silent=coap://127.0.0.1:$port
}

# OPTION...: examples/relay.c; $port is its port.
start_relay() {
  local relay=${BUILD:?BUILD is the build folder}/examples/relay
  [ -x "$relay" ] || skip "$relay is not built: configure with -DCOPAL_TESTS=ON"
  start_announced relay "$relay" --listen 0 "$@"
}

# --- what the last run did

# ARGUMENT...: the command; $status, $work/out and $work/err are what it did.
run() {
  timeout 20 "$copal" "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

report() { # RESULT NAME
  checks=$((checks + 1))
  if [ "$1" = 0 ]; then
    echo "ok - $2"
    return
  fi
  echo "not ok - $2"
  failures=$((failures + 1))
  echo "#  status: $status"
  sed -e 's/^/#  stdout: /' -e '$a\' "$work/out"
  sed -e 's/^/#  stderr: /' -e '$a\' "$work/err"
  sed -e 's/^/#  peer: /' -e '$a\' "$work/peer"
}

expect() { # NAME STATUS
  [ "$status" = "$2" ]
  report $? "$1"
}

output() { # NAME TEXT: standard output is this, but for line feeds at its end
  [ "$(cat "$work/out")" = "$2" ]
  report $? "$1"
}

says() { # NAME out|err PATTERN: the stream has a line that matches
  grep -Eq -- "$3" "$work/$2"
  report $? "$1"
}

# NAME TRAFFIC [FILE]: types and codes of what copal --verbose showed, in FILE or on standard error, are exactly
# these: "-> CON GET, <- ACK 2.05".
traffic() {
  local seen
  seen=$(traffic_in "${3:-$work/err}")
  [ "$seen" = "$2" ]
  report $? "$1"
  [ "$seen" = "$2" ] || echo "#  traffic: $seen"
}

# As traffic, but for the pings by which a server verifies our address first (docs/decisions/0011-verified-addresses.md).
traffic_but_pings() { # WHAT SEEN
  sed -E '/^ *[0-9.]+ ms (<- [^ ]+  CON|-> [^ ]+  RST) Empty/d' "$work/err" >"$work/but-pings"
  traffic "$1" "$2" "$work/but-pings"
}

traffic_in() { # FILE
  sed -nE 's/^ *[0-9.]+ ms (->|<-) [^ ]+  (CON|NON|ACK|RST) (Empty|[0-9]\.[0-9]+|[A-Za-z]+).*/\1 \2 \3/p' "$1" |
    paste -sd, | sed 's/,/, /g'
}

# COMMAND...: runs it and lets $work/peer be what our server showed meanwhile.
watched() {
  local before
  before=$(wc -l <"$work/serve.err")
  "$@"
  sleep 0.05
  tail -n "+$((before + 1))" "$work/serve.err" >"$work/peer"
}

finish() {
  echo "$((checks - failures)) of $checks checks passed"
  [ "$failures" = 0 ]
  exit
}
