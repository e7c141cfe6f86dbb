"""Honest clients at a steady rate, while the server is flooded from addresses that are not the sender's."""
from figures import Target

NUMBER, TITLE, ROUNDS = 11, "Floods", 5
RATE, FLOOD = 2000, 20000
KINDS = ("requests", "posts", "large", "registrations", "uploads", "pings", "garbage", "message IDs")

TARGETS = [
    Target("answers a second under the worst flood, to those without", ("all", "least share"), at_least=0.9),
    Target("growth of memory under the worst flood", ("all", "most growth"), at_most=0.25, unit=" MiB"),
]


def round(bench):
    found = {kind: flooded(bench, kind) for kind in KINDS}
    shares = [one["flooded"] / max(one["calm"], 1) for one in found.values()]
    growths = [one["growth"] for one in found.values()]
    return found | {"all": {"least share": min(shares), "most growth": max(growths)}}


def flooded(bench, kind):
    """A server of its own for each kind, which has been flooded once before: its tables are full."""
    times = ("seconds=0.05", "patience=0.1") if bench.quick else ("seconds=1",)
    with bench.serving("server", "floods") as server:
        ask = lambda kind: bench.ask(server, f"rate={RATE}", f"flood={FLOOD}", f"kind={kind}", *times, program="flood")
        calm = ask("none")
        ask(kind)
        before = server.resident()
        told = ask(kind)
        return {"calm": calm["per_second"], "flooded": told["per_second"], "flood": told["flood_per_second"],
                "resident": before / 2**20, "growth": (server.resident() - before) / 2**20}


def page(view):
    yield f"""32 clients send {RATE:,} requests a second in all, whatever becomes of them, far less than the server can
answer: eight GETs, a POST and an upload in two blocks out of ten. What is answered rightly counts, at once or after
retransmission. At the same time {FLOOD:,} datagrams a second come from as many addresses in 127/8 that never answer: GETs; POSTs; GETs for
more than an address may have that is not verified; registrations of observers; first blocks of uploads; pings; what is no
message; and from one address requests with all message IDs. The server's limits are so low that each flood fills its
tables at once. It has been flooded for a second before, and its memory is looked at after that and at the end."""
    yield view.table("flood of", KINDS, {
        "requests answered a second without it": "calm", "with it": "flooded", "datagrams of the flood a second": "flood",
        "MiB resident": "resident", "growth, MiB": "growth"})
