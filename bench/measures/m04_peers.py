"""Requests from ten peers and from a million."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 4, "Many peers", 5
COUNTS = {"10": 10, "1000000": 1000000}
SIZES = (10, 1000, 100000, 1000000)
VARIANTS = {"bare echo": ("echo",), "Copal": ("server", "million")}

TARGETS = [
    Target("requests a second with 10⁶ peers, to 10 peers", ("Copal", "per_second 1000000"), ("Copal", "per_second 10"),
           at_least=0.75),
    Target("processor time a request with 10 peers, to 10⁶ peers", ("Copal", "server_ns 1000000"),
           ("Copal", "server_ns 10"), at_least=0.75, inverse=True),
]


def round(bench):
    found = {}
    for name, command in VARIANTS.items():
        with bench.serving(*command) as server:
            for label, count in COUNTS.items():
                count = min(count, 1000) if bench.quick else count
                told = bench.ask(server, "window=128", f"peers={count}", f"warm={count if name == 'Copal' else 0}",
                                 f"seconds={0.1 if bench.quick else 0.6}")
                for figure in ("per_second", "server_ns"):
                    found.setdefault(name, {})[f"{figure} {label}"] = told[figure]
    lines = bench.alone("requests", "peers")
    return found | per_line(lines, "Copal, bare endpoint", "{count}")


def page(view):
    yield """`GET /temperature` as above, 128 in flight, from so many peers by turns, in an order that looks like none; each
has a source address of its own in 127/8, and has asked before; the bare endpoint has been asked 300,000 times at least
(decision 0021). The bare echo shows what the kernel makes of it."""
    yield view.table("over sockets", VARIANTS, {
        "10 peers, requests a second": "per_second 10", "10⁶ peers": "per_second 1000000",
        "10 peers, processor, ns each": "server_ns 10", "10⁶ peers, ns each": "server_ns 1000000"})
    yield view.table("without sockets, ns each", ["Copal, bare endpoint"], {f"{size:,}": str(size) for size in SIZES})
    yield view.lines("peers", "A request on the bare endpoint", "peers", "ns",
                     {"Copal": [(size, ("Copal, bare endpoint", str(size))) for size in SIZES]})
