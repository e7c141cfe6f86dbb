#!/usr/bin/env bash
# "copal decode": datagrams from arguments, standard input and capture files, explained.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

run decode 44 01 7d 34 4a1b2201 bb74656d7065726174757265 c13c 10 ff 32322e332043 # RFC 7252 Figure 16, and more
expect "a good datagram decodes" 0
output "every byte is explained" "CON 0.01 GET, 30 bytes
0000  44                       Ver 1, Type CON (0), token length 4
0001  01                       Code 0.01 GET
0002  7d 34                    Message ID 0x7d34 (32052)
0004  4a 1b 22 01              Token, 4 bytes
0008  bb                       Option 11 Uri-Path: delta 11, length 11; critical, unsafe to forward
0009  74 65 6d 70 65 72 61 74  \"temperature\"
0011  75 72 65
0014  c1                       Option 23 Block2: delta 12, length 1; critical, unsafe to forward
0015  3c                       3/1/256: block 3, more follow, of 256 bytes
0016  10                       Option 24 (unregistered): delta 1, length 0; elective
0017  ff                       Payload marker
0018  32 32 2e 33 20 43        Payload, 6 bytes: \"22.3 C\""
run decode 5d45 0001 00 "$(printf '61%.0s' $(seq 13))" 60 60 d103 3c 2101
expect "an extended token, empty values and extended deltas decode" 0
says "an extended token length is explained" out '^0000  5d +Ver 1, Type NON \(1\), token length 13: in the byte behind the header$'
says "an extended token length has its value" out '^0004  00 +Token length 13$'
says "an option without a value has one" out '^0013  60 +Option 12 Content-Format: delta 6, length 0; elective; value$'
says "a sequence number is told to be one" out '^ +value 0: sequence number$'
says "an option with an extended delta has its bytes" out '^0014  d1 03 +Option 28 Size2: delta 16 \(13 \+ 3\), length 1; elective, no cache key$'
run decode 4001 0001 3161 0162 d110 07
expect "a datagram that breaks rules but decodes succeeds" 0
says "a repeated option is noted" out 'note: it may not be repeated, and is critical: the message is$'
says "the section that a repeated option breaks is told" out '^ +rejected \(RFC 7252 5\.4\.5\)$'
echo '60:45:7d:34 ff 32:32:2e:33:20:43' >"$work/hex"
"$copal" decode <"$work/hex" >"$work/out" 2>"$work/err"
status=$?
expect "a datagram on standard input decodes" 0
says "decode shows the payload" out 'Payload, 6 bytes: "22\.3 C"$'
printf '4001 7d34\n  bb74656d7065726174757265\n \n6045\n7d34\n\n\n4f017d34aa\n' |
  "$copal" decode --brief >"$work/out" 2>"$work/err"
status=$?
expect "one malformed datagram of several ends with 9" 9
output "--brief has one line a datagram, and empty lines are between them" 'CON GET 0x7d34 Uri-Path "temperature"
ACK 2.05 Content 0x7d34
malformed at byte 0 of 5: token length 15 is reserved (RFC 8974 2.1)'
printf '\x40\x01\x7d\x34\xb1\x61' >"$work/raw"
run decode --raw --brief "$work/raw" "$work/raw"
output "--raw reads files" 'CON GET 0x7d34 Uri-Path "a"
CON GET 0x7d34 Uri-Path "a"'
"$copal" decode --raw --brief <"$work/raw" >"$work/out" 2>"$work/err"
output "--raw reads standard input" 'CON GET 0x7d34 Uri-Path "a"'
run decode 4401 7d34 4a1b2201 b374
expect "a malformed datagram ends with 9" 9
output "a malformed datagram is explained as far as it can be read" "malformed: option value runs past the end of the datagram, 10 bytes
0000  44                       Ver 1, Type CON (0), token length 4
0001  01                       Code 0.01 GET
0002  7d 34                    Message ID 0x7d34 (32052)
0004  4a 1b 22 01              Token, 4 bytes
0008  b3                       Option 11 Uri-Path: delta 11, length 3; critical, unsafe to forward
0009  74                       wrong: option value runs past the end of the datagram: 1 of its 3
                               bytes are there
                               RFC 7252 3.1: \"Value: A sequence of exactly Option Length bytes.\""
run decode 4f017d34aa
says "the rule that is broken is quoted" out 'RFC 8974 2\.1: "15: Reserved\. This value MUST NOT be sent and MUST be$'
says "what is behind the error is told not to be read" out '^0004  aa +not read: 1 byte$'
run decode 40010001b12fb12f
says "text of a peer is shown as text" out '^0005  2f +"/"$'
run decode 40010001b41b5b324a
says "text of a peer moves no cursor" out '^0005  1b 5b 32 4a +"\\x1b\[2J"$'
run decode --json 60457d34 c132 6161 ff 7b7d
output "--json has every field" '{"kind":"datagram","size":11,"bytes":"60457d34c1326161ff7b7d","type":"ACK","code":"2.05","name":"Content",'\
'"message_id":32052,"token":"","options":[{"number":12,"name":"Content-Format","value":50,"offset":4,"size":1,'\
'"critical":false,"unsafe":false,"no_cache_key":false},{"number":18,"name":null,"value":"61","offset":6,"size":1,'\
'"critical":false,"unsafe":true,"no_cache_key":false}],"payload":{"offset":9,"size":2,"text":"{}"},"notes":[]}'
run decode --json 4401 7d34 4a1b2201 b374
expect "a malformed datagram as JSON ends with 9" 9
output "--json tells what is wrong and where" '{"kind":"datagram","size":10,"bytes":"44017d344a1b2201b374","type":"CON",'\
'"code":"0.01","name":"GET","message_id":32052,"token":"4a1b2201","options":[],"notes":[],"error":{"offset":9,'\
'"message":"option value runs past the end of the datagram: 1 of its 3 bytes are there","section":"RFC 7252 3.1",'\
'"rule":"Value: A sequence of exactly Option Length bytes."}}'
run decode xyz
expect "what is no hexadecimal is bad usage" 2
run decode --json --brief 40010001
expect "--json and --brief exclude each other" 2
run decode --port 1 40010001
expect "--port is for captures" 2

python3 - "$work" <<'PYTHON'
import struct, sys
work = sys.argv[1]
def udp(payload, source, destination):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload
def ipv4(payload, fragment=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, fragment, 64, 17, 0, bytes([192, 0, 2, 1]),
                       bytes([192, 0, 2, 2])) + payload
def ipv6(payload):
    return struct.pack(">IHBB", 6 << 28, len(payload), 17, 64) + bytes.fromhex("20010db8" + "00" * 11 + "01") + \
        bytes.fromhex("ff02" + "00" * 13 + "fd") + payload
def frame(order, bytes_, cut=0):
    return struct.pack(order + "IIII", 1700000000, 250000, len(bytes_) - cut, len(bytes_)) + bytes_[:len(bytes_) - cut]
get = bytes.fromhex("40017d34bb74656d7065726174757265")
content = bytes.fromhex("60457d34ff32322e332043")
ethernet = bytes(12)
def write(name, order, link, frames, magic=0xa1b2c3d4):
    with open(f"{work}/{name}.pcap", "wb") as file:
        file.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link) + b"".join(frames))
write("both", "<", 1, [
    frame("<", ethernet + b"\x08\x00" + ipv4(udp(get, 49152, 5683))),
    frame("<", ethernet + b"\x81\x00\x00\x05\x08\x00" + ipv4(udp(content, 5683, 49152))),
    frame("<", ethernet + b"\x08\x06" + bytes(28)),
    frame("<", ethernet + b"\x86\xdd" + ipv6(udp(get, 49152, 61616)))])
write("big", ">", 101, [frame(">", ipv6(udp(get, 49152, 5683)))], 0xa1b23c4d)
write("bad", "<", 101, [frame("<", ipv4(udp(b"\x4f\x01\x00\x01", 1, 5683))), frame("<", ipv4(udp(get, 1, 5683)))])
write("cut", "<", 101, [frame("<", ipv4(udp(get, 1, 5683))), frame("<", ipv4(udp(get, 1, 5683)))[:-3]])
write("fragments", "<", 101, [frame("<", ipv4(udp(get, 1, 5683), 0x2000)), frame("<", ipv4(udp(get, 1, 5683)))])
open(f"{work}/text.pcap", "w").write("this is no capture\n")
PYTHON
run decode --pcap "$work/both.pcap"
expect "a capture decodes" 0
says "a capture shows who spoke to whom" out '^#1  2023-11-14 22:13:20\.250000  192\.0\.2\.1:49152 -> 192\.0\.2\.2:5683$'
says "a capture's VLAN frame is read" out '^#2 .* 192\.0\.2\.1:5683 -> 192\.0\.2\.2:49152$'
says "a capture's frames are counted" err '2 datagrams of 4 frames; 1 without readable UDP'
says "so is what another --port would show" err '1 of other ports is left out: --port NUMBER shows one'
[ "$(grep -c '^#' "$work/out")" = 2 ]
report $? "other ports of a capture are left out"
run decode --pcap "$work/both.pcap" --port 61616
says "--port chooses another port" out '^#4 .*\[2001:db8::1\]:49152 -> \[ff02::fd\]:61616$'
run decode --pcap "$work/both.pcap" --port any
[ "$(grep -c '^#' "$work/out")" = 3 ]
report $? "--port any shows all that decode"
"$copal" decode --pcap - <"$work/big.pcap" >"$work/out" 2>"$work/err"
status=$?
expect "a big-endian capture on standard input decodes" 0
says "a big-endian capture shows its datagram" out '^0005  74 65 6d 70 65 72 61 74  "temperature"$'
run decode --pcap "$work/bad.pcap"
expect "a malformed datagram in a capture ends with 9" 9
says "a capture goes on behind a malformed datagram" out '^#2 '
run decode --pcap "$work/cut.pcap"
expect "a capture that is cut off ends with 9" 9
says "a capture that is cut off says so" err 'is cut off or damaged after frame 1$'
says "a capture that is cut off shows what was before" out '^#1 '
run decode --pcap "$work/text.pcap"
expect "another file is no capture" 9
says "another file is said to be no capture" err 'is no pcap or pcapng file$'
run decode --pcap "$work/missing.pcap"
expect "a missing capture is a local error" 1
run decode --pcap "$work/both.pcap" --port 70000
expect "a bad port is bad usage" 2

run decode --pcap "$work/fragments.pcap"
says "fragments are told" err '1 of these is a fragment of IP packets, which are not put together$'
run decode --brief "$work/both.pcap"
expect "an operand that is a file is a capture" 0
says "--brief tells who spoke to whom" out '^#1  22:13:20\.250000  192\.0\.2\.1:49152 -> 192\.0\.2\.2:5683  CON GET 0x7d34 Uri-Path "temperature"$'
run decode --json "$work/both.pcap"
says "--json tells who spoke to whom, and when" out \
  '^\{"kind":"datagram","frame":1,"time_s":1700000000\.250000000,"source":"192\.0\.2\.1:49152","destination":"192\.0\.2\.2:5683","missing":0,"size":16,'
"$copal" decode --brief <"$work/both.pcap" >"$work/out" 2>"$work/err"
[ "$(wc -l <"$work/out")" = 2 ]
report $? "a capture on standard input is known to be one"

finish
