# shellcheck shell=bash
# What the plugtests against other implementations share; sourced after lib.sh. peer_name is the other one's. For each
# plugtest a line is written for scripts/conformance, to a file in the folder PLUGTEST_RESULTS, if there is one:
# "ID | WHAT | PEER | OUR ROLE | RESULT | REMARK".
results=${PLUGTEST_RESULTS:+$PLUGTEST_RESULTS/${peer_name:?}_client}
: >"${results:=/dev/null}"
id=
id_failures=0

programs='core link block observe renewal'

# PORT [PORT]: our client against the peer's server, and one that notifies without confirmation, beside what follows:
# mostly it waits. The programs write their own results.
begin_our_client() {
  run_our_client "$@" &
  our_client=$!
  pids+=("$our_client")
}

run_our_client() { # PORT [PORT]
  local program
  for program in $programs; do
    "${BUILD:?BUILD is the build folder}/tests/plugtest_${program}_test" "$peer_name" "$@" \
      >"$work/plugtest-$program.out" 2>"$work/plugtest-$program.err"
    echo $? >"$work/plugtest-$program.status"
  done
}

end_our_client() {
  local program
  wait "$our_client"
  for program in $programs; do
    cp "$work/plugtest-$program.out" "$work/out"
    cp "$work/plugtest-$program.err" "$work/err"
    read -r status <"$work/plugtest-$program.status"
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
