#!/usr/bin/env bash
# "copal decode": datagrams from arguments, standard input and capture files, explained.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

run decode 44 01 7d 34 4a1b2201 bb74656d7065726174757265 # RFC 7252 Figure 16 with a token
expect "a good datagram decodes" 0
says "decode names type and code" out '^CON 0\.01 GET, 20 bytes$'
says "decode shows the header" out 'token length 4, code 0\.01, message ID 32052 \(0x7d34\)'
says "decode shows the token" out '^  token +4a1b2201$'
says "decode shows the option with its properties" out \
  'option 11 +Uri-Path, critical, unsafe to forward, 11 bytes: "temperature"'
echo '60:45:7d:34 ff 32:32:2e:33:20:43' >"$work/hex"
"$copal" decode <"$work/hex" >"$work/out" 2>"$work/err"
status=$?
expect "a datagram on standard input decodes" 0
says "decode shows the payload" out 'payload +6 bytes: "22\.3 C"'
run decode 4f017d34aa
expect "a malformed datagram ends with 9" 9
says "a malformed datagram is explained" out 'malformed: token length 15 is reserved, 5 bytes'
says "a malformed datagram's bytes are shown" out '0000  4f 01 7d 34 aa'
run decode 40010001b12fb12f
says "text of a peer is shown as text" out 'Uri-Path.*"/"'
run decode xyz
expect "what is no hexadecimal is bad usage" 2

python3 - "$work" <<'PYTHON'
import struct, sys
work = sys.argv[1]
def udp(payload, source, destination):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload
def ipv4(payload):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, 17, 0, bytes([192, 0, 2, 1]),
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
open(f"{work}/text.pcap", "w").write("this is no capture\n")
PYTHON
run decode --pcap "$work/both.pcap"
expect "a capture decodes" 0
says "a capture shows who spoke to whom" out '^#1  2023-11-14 22:13:20\.250000  192\.0\.2\.1:49152 -> 192\.0\.2\.2:5683$'
says "a capture's VLAN frame is read" out '^#2 .* 192\.0\.2\.1:5683 -> 192\.0\.2\.2:49152$'
says "a capture's frames are counted" err '2 datagrams of 4 frames; 1 without readable UDP'
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
says "a big-endian capture shows its datagram" out 'Uri-Path.*"temperature"'
run decode --pcap "$work/bad.pcap"
expect "a malformed datagram in a capture ends with 9" 9
says "a capture goes on behind a malformed datagram" out '^#2 '
run decode --pcap "$work/cut.pcap"
expect "a capture that is cut off ends with 9" 9
says "a capture that is cut off says so" err 'is cut off or damaged after frame 1$'
says "a capture that is cut off shows what was before" out '^#1 '
run decode --pcap "$work/text.pcap"
expect "another file is no capture" 9
says "another file is said to be no capture" err 'is no pcap file$'
run decode --pcap "$work/missing.pcap"
expect "a missing capture is a local error" 1
run decode --pcap "$work/both.pcap" --port 70000
expect "a bad port is bad usage" 2

finish
