"""POST with few and with many requests remembered, so that none is executed twice."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 5, "Exactly once", 5
SIZES = (100, 10000, 100000, 1000000)
SHORT, LONG = "remembered for 1 ms", "remembered for 1 s"

TARGETS = [
    Target("processor time a POST, remembered for 1 ms to 1 s", ("Copal", f"server_ns {LONG}"),
           ("Copal", f"server_ns {SHORT}"), at_least=0.95, inverse=True),
    Target("ns a POST on the bare endpoint, 100 remembered to 10⁶", ("Copal, bare endpoint", "1000000"),
           ("Copal, bare endpoint", "100"), at_least=0.95, inverse=True),
    Target("POSTs refused or executed twice", ("Copal", "wrong"), at_most=0),
    Target("growth of memory while the ring turns over", ("Copal", "growth"), at_most=0.1, unit=" MiB"),
]


def round(bench):
    found = {"wrong": 0}
    for label, milliseconds in ((SHORT, 1), (LONG, 1000)):
        with bench.serving("server", f"remember={milliseconds}") as server:
            warm = 1000 if bench.quick else 1200 * (milliseconds + 50)  # once round the ring
            bench.ask(server, "post", "window=128", "peers=1000", f"warm={warm}", "seconds=0.05")
            before = server.resident()
            told = bench.ask(server, "post", "window=128", "peers=1000", f"seconds={0.1 if bench.quick else 0.6}")
            found[f"server_ns {label}"] = told["server_ns"]
            found["growth"] = max(found.get("growth", 0), (server.resident() - before) / 2**20)
        found["wrong"] += server.last["refused"] + abs(server.last["executed"] - server.last["requests"])
    lines = bench.alone("requests", "remembered")
    return {"Copal": found} | per_line(lines, "Copal, bare endpoint", "{count}")


def page(view):
    yield """Every request is remembered with its reply, and cannot be switched off. So POSTs that are remembered for a
moment, in a ring that stays in the processor's caches, are compared with POSTs that are remembered for long, in one that
does not. The ring turns over all the time; on the bare endpoint it is full. After each run there the last requests come
again, and must not be executed again."""
    yield view.table("over sockets, server's processor, ns each", ["Copal"],
                     {label: f"server_ns {label}" for label in (SHORT, LONG)})
    yield view.table("without sockets, ns each, by how many are remembered", ["Copal, bare endpoint"],
                     {f"{size:,}": str(size) for size in SIZES})
    yield view.lines("once", "A POST on the bare endpoint", "requests remembered", "ns",
                     {"Copal": [(size, ("Copal, bare endpoint", str(size))) for size in SIZES]})
