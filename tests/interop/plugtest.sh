# shellcheck shell=bash
# What the plugtests against other implementations share; sourced after lib.sh. Beside the checks a line is printed for
# each plugtest, which scripts/conformance reads: "result: ID | WHAT | PEER | OUR ROLE | RESULT | REMARK".
id=
id_failures=0

# PORT [PORT]: our client against the peer's server, and one that notifies without confirmation.
our_client() {
  local program
  for program in core link block observe; do
    "${BUILD:?BUILD is the build folder}/tests/plugtest_${program}_test" "$peer_name" "$@" >"$work/out" 2>"$work/err"
    status=$?
    grep '^result: ' "$work/out"
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
  if [ "$failures" = "$id_failures" ]; then echo "result: $id |  | $peer_name | server | passed | "
  else echo "result: $id |  | $peer_name | server | failed | "; fi
  id=
}

cannot() { # ID REASON
  conclude
  echo "result: TD_COAP_$1 |  | $peer_name | server | not run | no: $2"
}
