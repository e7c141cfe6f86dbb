"""A peer that misbehaves as the path of a request says; prints "listening on udp:PORT"."""
import socket

peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
print(f"listening on udp:{peer.getsockname()[1]}", flush=True)


def answer(remote, data, code, rest):
    size = data[0] & 15
    peer.sendto(bytes([0x60 | size, code]) + data[2:4] + data[4:4 + size] + rest, remote)


ANSWERS = {
    b"critical": (0x45, b"\xe1\xfc\xdc\x01\xffbody"),
    b"halves": (0x45, b"\xd1\x0a\x08\xff" + b"x" * 16),
    b"escape": (0x45, b"\xffa\x1b[31mb\xc2\x9bc\n"),
    b"unknown": (0x45, b"\xc2\xfd\xe7\xe2\xfc\xcf\x01\x02\xffx"),
    b"odd-code": (0x9f, b""),
    b"text": (0x45, b"\xfftext of many words"),
    b"a": (0x45, b"\xffA"),
    b"b": (0x45, b"\xffB"),
    b"error": (0xa0, b"\xffout of order"),
}
while True:
    data, remote = peer.recvfrom(65536)
    if data[0] >> 4 & 3 > 1:
        continue
    path = next((name for name in sorted(ANSWERS, key=len, reverse=True) if name in data[4 + (data[0] & 15):]), None)
    if b"reset" in data or data[1] == 0:
        peer.sendto(b"\x70\x00" + data[2:4], remote)
    elif b"ack-only" in data:
        peer.sendto(b"\x60\x00" + data[2:4], remote)
    elif b"silent" not in data and path is not None:
        answer(remote, data, *ANSWERS[path])
