#!/usr/bin/env bash
# The plugtests (ETSI CoAP#4) with node-coap: our client against node/plugtest.js, and node/plugtest_client.js against
# our server.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need_node
need python3
peer_name=node
# shellcheck source=tests/interop/plugtest.sh
. "$here/plugtest.sh"

start_announced node node "$here/node/plugtest.js"
begin_our_client "$port"

start_serve --plugtest --interval 0 --delay 0.3
timeout 60 node "$here/node/plugtest_client.js" "$port" >"$work/out" 2>"$work/err" </dev/null
status=$?
sed -n 's/^result: //p' "$work/out" >>"$results"
report "$status" "plugtests with node-coap's client"

end_our_client
finish
