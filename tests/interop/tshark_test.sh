#!/usr/bin/env bash
# A third party reads what our client and our server say to each other: tshark captures it on the loopback interface, and
# its types, codes, tokens, options and payloads are those that were asked for. It finds nothing malformed.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need tshark python3

DATAGRAMS=44
start_serve --delay 0.8
start tshark timeout 25 tshark -q -i lo -f "udp port $port" -c "$DATAGRAMS" -w "$work/capture.pcapng"
tshark_pid=$pid
for _ in $(seq 200); do
  grep -q 'Capture started' "$work/tshark.err" && break
  kill -0 "$tshark_pid" 2>/dev/null || skip "this user may not capture on the loopback interface"
  sleep 0.05
done

long=$(printf 'x%.0s' $(seq 300))
printf '{"on":true}' >"$work/lamp.json"
text=$(printf 'y%.0s' $(seq 130))
run get --token 01 "$uri/hello"
run put --token 0203 --data on "$uri/store/lamp"
run get --token 04 -O ETag=0x00000001 "$uri/store/lamp"
run put --token 05 --file "$work/lamp.json" --format json "$uri/store/lamp"
run post --token 0102030405060708 --hex 00ff0d "$uri/store"
run delete --token 06 --non "$uri/store/lamp"
run get --token 07 --accept cbor "$uri/hello"
run get --token 08 -O Uri-Host=example -O Size1=70000 --accept link "$uri/.well-known/core?rt=c*"
run get --token 09 -O Proxy-Uri="coap://example/$long" "$uri/"
run get --token 0a "$uri/missing"
run get --token 0b "$uri/async"
run ping --count 1 "$uri"
run get --token 0c -O 65001=x "$uri/hello"
run put --token 0d --block-size 128 --data "$text" "$uri/store/text"
run get --token 0e "$uri/store/text"
run get --token 0f --block-size 64 "$uri/store/text"
wait "$tshark_pid"
report $? "all $DATAGRAMS datagrams are captured"

read_capture() { # OPTION...
  tshark -r "$work/capture.pcapng" -d "udp.port==$port,coap" "$@" 2>/dev/null
}

# The pings by which the server verifies an address before it answers late, and their Resets.
verifying="coap.code == 0 and ((coap.type == 0 and udp.srcport == $port) or (coap.type == 3 and udp.dstport == $port))"

[ "$(read_capture -Y "$verifying" -T fields -e coap.type | sort | paste -sd ' ')" = '0 0 3 3' ]
report $? "the one large answer waits for two pings, and no other does"

# One line a datagram: type, code, token, then what else it has: names of options, their values, blocks as
# number/more/size, the payload in hex. Tokens and Request-Tags that our client has made are *.
read_capture -Y "not ($verifying)" -T fields -E 'separator=|' -e coap.type -e coap.code -e coap.token -e coap.opt.name -e coap.opt.uri_path \
  -e coap.opt.uri_query -e coap.opt.location_path -e coap.opt.etag -e coap.opt.ctype -e coap.opt.accept \
  -e coap.opt.uri_host -e coap.opt.size1 -e coap.opt.proxy_uri -e coap.opt.unknown -e coap.opt.block_number \
  -e coap.opt.block_mflag -e coap.opt.block_size -e coap.payload_length -e coap.block_length -e udp.payload |
  awk -F'|' -v known=0102030405060708 'BEGIN {split("CON NON ACK RST", types, " ")}
             {size = ($19 == "" ? $18 : $19) + 0
              if ($3 != known && length($3) == 16) $3 = "*"
              if ($4 ~ /\(292\)/) $14 = "*"
              line = types[$1 + 1] sprintf(" %d.%02d", $2 / 32, $2 % 32) ($3 == "" ? "" : " " $3)
              gsub(/#[0-9]+: /, "", $4)
              for (i = 4; i <= 14; ++i) if ($i != "") line = line " " $i
              if ($15 != "") line = line " " $15 "/" $16 "/" 2 ^ ($17 + 4)
              print line (size == 0 ? "" : " = " substr($20, length($20) - 2 * size + 1))}' >"$work/seen"

hex() { # TEXT
  printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

problem_format='Content-Format Unknown Type 257' # older than RFC 9290

problem() { # HEAD TITLE
  printf '%s = a120%s%s' "$problem_format" "$1" "$(hex "$2")"
}

lamp='Uri-Path,Uri-Path,Content-Format store,lamp'
links='</counter>;title="GET reads, POST adds one";rt="counter";ct=0;obs'
tagged='Uri-Path,Uri-Path,Content-Format,Block1,Size1,Unknown Option (292) store,text' # older than RFC 9175
cat >"$work/expected" <<ROWS
CON 0.01 01 Uri-Path hello
ACK 2.05 01 Content-Format text/plain; charset=utf-8 = $(hex 'Hello, constrained world!')0a
CON 0.03 0203 $lamp text/plain; charset=utf-8 = $(hex on)
ACK 2.01 0203 Etag 00000001
CON 0.01 04 Etag,Uri-Path,Uri-Path store,lamp 00000001
ACK 2.03 04 Etag 00000001
CON 0.03 05 $lamp application/json = $(hex '{"on":true}')
ACK 2.04 05 Etag 00000002
CON 0.02 0102030405060708 Uri-Path,Content-Format store application/octet-stream = 00ff0d
ACK 2.01 0102030405060708 Etag,Location-Path,Location-Path store,1 00000003
NON 0.04 06 Uri-Path,Uri-Path store,lamp
NON 2.02 06
CON 0.01 07 Uri-Path,Accept hello application/cbor
ACK 4.06 07 $(problem '6e' 'Not Acceptable')
CON 0.01 08 Uri-Host,Uri-Path,Uri-Path,Uri-Query,Accept,Size1 .well-known,core rt=c* application/link-format example 70000
ACK 2.05 08 Content-Format application/link-format = $(hex "$links")
CON 0.01 09 Proxy-Uri coap://example/$long
ACK 5.05 09 $(problem '76' 'Proxying Not Supported')
CON 0.01 0a Uri-Path missing
ACK 4.04 0a $(problem '69' 'Not Found')
CON 0.01 0b Uri-Path async
ACK 0.00
CON 2.05 0b Content-Format text/plain; charset=utf-8 = $(hex 'this answer took its time')0a
ACK 0.00
CON 0.00
RST 0.00
CON 0.01 0c Uri-Path,Unknown Option (65001) hello 78
ACK 4.02 0c $problem_format = a3206a$(hex 'Bad Option')216c$(hex 'option 65001')2719fde9
CON 0.03 0d $tagged text/plain; charset=utf-8 130 * 0/1/128 = $(hex "${text:0:128}")
ACK 2.31 0d Block1 0/1/128
CON 0.03 0d $(sed 's/Block1,Size1/Block2,Block1/' <<<"$tagged") text/plain; charset=utf-8 * 0,1/0,0/128 = $(hex yy)
ACK 2.01 0d Etag,Block1 00000005 1/0/128
CON 0.01 0e Uri-Path,Uri-Path store,text
ACK 2.05 0e Etag,Content-Format 00000005 text/plain; charset=utf-8 = $(hex "$text")
CON 0.01 0f Uri-Path,Uri-Path,Block2 store,text 0/0/64
ACK 2.05 0f Etag,Content-Format,Block2,Size2 00000005 text/plain; charset=utf-8 0/1/64 = $(hex "${text:0:64}")
CON 0.01 * Uri-Path,Uri-Path,Block2 store,text 1/0/64
ACK 2.05 * Etag,Content-Format,Block2 00000005 text/plain; charset=utf-8 1/1/64 = $(hex "${text:0:64}")
CON 0.01 * Uri-Path,Uri-Path,Block2 store,text 2/0/64
ACK 2.05 * Etag,Content-Format,Block2 00000005 text/plain; charset=utf-8 2/0/64 = $(hex yy)
ROWS
diff "$work/expected" "$work/seen" | sed 's/^/#  /'
cmp -s "$work/expected" "$work/seen"
report $? "tshark reads what was sent"

# An ACK and a Reset have the message ID of what they answer.
read_capture -T fields -e coap.type -e coap.mid -e udp.srcport -e udp.dstport |
  awk '$1 < 2 {expected[$2, $3, $4] = 1} $1 >= 2 && !(($2, $4, $3) in expected) {print; wrong = 1} END {exit wrong}'
report $? "each ACK and Reset has the message ID of what it answers"

# What tshark remarks in messages that match, but for Request-Tag, which it is too old to know.
remarks() { # FILTER
  read_capture -Y "$1" -T fields -e _ws.expert.message | grep -v '^Invalid Option Number 292$'
}

[ -z "$(remarks _ws.malformed)" ]
report $? "nothing is malformed"
[ "$(remarks '_ws.expert.severity >= 0x400000')" = 'Unknown Option Number 65001' ]
report $? "nothing is remarkable but the option that tshark is not to know"

finish
