"""One notification to many observers, beside sendmmsg of as many bytes to as many addresses."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 6, "Notifications", 5
COUNTS = (100, 10000, 1000000)
WAYS = ("bare sendmmsg", "NON", "CON")
SIZES = (100, 1000, 10000, 100000, 1000000)
PARTS = ("register", "NON", "interval over", "CON", "acknowledged")

TARGETS = [Target(f"processor time each, sendmmsg's to {way}'s, {count:,} observers", (way, f"processor {count}"),
                  ("bare sendmmsg", f"processor {count}"), at_least=least, inverse=True)
           for way, least in (("NON", 0.85), ("CON", 0.5)) for count in COUNTS]
TARGETS += [Target(f"growth from 10² to 10⁶ observers, {way}", (way, "processor 1000000"), (way, "processor 100"),
                   at_most=1.5) for way in ("NON", "CON")]


def round(bench):
    lines = bench.alone("notify", core=None)
    return (per_line(lines, "{way}", "{of} {observers}") |
            per_line(bench.alone("observe"), "bare endpoint: {part}", "{observers}"))


def page(view):
    yield """A change of one resource, told to so many observers, each at a source address of its own in 127/8. Processor
time of the server for each, until the last notification is sent and, where it is confirmable, acknowledged. Beside it
`sendmmsg` of as many bytes to as many addresses, 32 at a time as with us. A figure is missing where more than half of
the notifications had to be sent again, because acknowledgements were lost in the server's receive buffer."""
    yield view.table("over sockets, ns each", WAYS, {f"{count:,} observers": f"processor {count}" for count in COUNTS})
    yield view.table("sent again", ["CON"], {f"{count:,} observers": f"retransmissions {count}" for count in COUNTS})
    yield view.table("without sockets, ns each", [f"bare endpoint: {part}" for part in PARTS],
                     {f"{size:,}": str(size) for size in SIZES})
    yield view.lines("notify", "The server's processor time for a notification", "observers", "ns",
                     {way: [(count, (way, f"processor {count}")) for count in COUNTS] for way in WAYS})
