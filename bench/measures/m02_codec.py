"""Five typical messages decoded and encoded, beside memcpy and libcoap."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 2, "Decoding and encoding", 5
MESSAGES = ("GET, 5 options", "2.05 piggybacked", "empty ACK", "2.05 notification", "PUT, block of 1 KiB",
            "all five, shuffled")
COLUMNS = {"memcpy": "copy memcpy", "decode": "decode copal", "libcoap, PDU kept": "decode libcoap, PDU kept",
           "libcoap, PDU new": "decode libcoap, PDU new", "encode": "encode copal",
           "encode, any order": "encode copal, any order", "libcoap, encode": "encode libcoap"}

TARGETS = [Target(f"{operation} {MESSAGES[0]}, libcoap's time to ours", (MESSAGES[0], f"{operation} copal"),
                  (MESSAGES[0], f"{operation} libcoap{kind}"), at_least=6, inverse=True)
           for operation, kind in (("decode", ", PDU kept"), ("encode", ""))]


def round(bench):
    return per_line(bench.alone("codec"), "{message}", "{operation} {library}")


def page(view):
    yield """Nanoseconds a message. Decoding includes a walk over the options. libcoap decodes into a PDU that is allocated
for each message, as its own receive path does, or into one that is kept; its encoder leaves the header for later."""
    yield view.table("", MESSAGES, COLUMNS)
    yield view.bars("codec", f"{MESSAGES[0]}: ns", "ns", {name: (MESSAGES[0], figure) for name, figure in COLUMNS.items()})
