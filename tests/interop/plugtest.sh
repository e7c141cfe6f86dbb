# shellcheck shell=bash
# What the plugtests against other implementations share; sourced after lib.sh. peer_name is the other one's. For each
# plugtest a line is written for scripts/conformance, to a file in the folder PLUGTEST_RESULTS, if there is one:
# "ID | WHAT | PEER | OUR ROLE | RESULT | REMARK".
results=${PLUGTEST_RESULTS:+$PLUGTEST_RESULTS/${peer_name:?}_client}
: >"${results:=/dev/null}"
id=
id_failures=0

# PORT [PORT]: our client against the peer's server, and one that notifies without confirmation. The programs write
# their own results.
our_client() {
  local program
  for program in core link block observe renewal; do
    "${BUILD:?BUILD is the build folder}/tests/plugtest_${program}_test" "$peer_name" "$@" >"$work/out" 2>"$work/err"
    status=$?
    report "$status" "plugtests with our client: $program"
  done
}

# ID: the checks that follow belong to this plugtest, of our server with the peer's client.
plugtest() {
  conclude
  id=TD_COAP_$1
  id_failures=$failures
}

# The result of the plugtest before.
conclude() {
  [ "$id" ] || return 0
  if [ "$failures" = "$id_failures" ]; then note "$id" passed; else note "$id" failed; fi
  id=
}

cannot() { # ID REASON
  conclude
  note "TD_COAP_$1" 'not run' "no: $2"
}

note() { # ID RESULT [REMARK]
  echo "$1 |  | $peer_name | server | $2 | ${3:-}" >>"$results"
}
