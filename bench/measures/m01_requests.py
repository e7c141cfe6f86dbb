"""Small GETs from a thousand clients to a server on one core, beside a bare echo, libcoap and node-coap."""
from figures import Target

NUMBER, TITLE, ROUNDS = 1, "Requests to one server", 5
WINDOWS = (1, 16, 128)
PROGRAMS = {"echo": "bare echo", "server": "Copal", "libcoap_server": "libcoap",
            "node_server": "node-coap"}
FAST, WARM = ("bare echo", "Copal"), 300000  # requests, until our index of duplicates is in use as it will be
ANSWER = "c0ff32322e33"  # Content-Format 0, "22.3"

TARGETS = [
    Target("requests a second, to the bare echo's", ("Copal", "per_second 128"), ("bare echo", "per_second 128"),
           at_least=0.90),
    Target("processor time a request, the bare echo's to ours", ("Copal", "server_ns 128"),
           ("bare echo", "server_ns 128"), at_least=0.90, inverse=True),
    Target("99 % of latencies with 16 in flight, to the bare echo's", ("Copal", "p99_us 16"), ("bare echo", "p99_us 16"),
           at_most=1.1),
]


def round(bench):
    found = {}
    for program, name in PROGRAMS.items():
        if not bench.has(program):
            continue
        with bench.serving(program) as server:
            for window in WINDOWS:
                warm = WARM if window == WINDOWS[-1] and name in FAST and not bench.quick else 0
                told = bench.ask(server, f"window={window}", "peers=1000", f"warm={warm}",
                                 f"seconds={0.1 if bench.quick else 0.6}")
                check(name, told)
                for figure in ("per_second", "server_ns", "p50_us", "p99_us"):
                    found.setdefault(name, {})[f"{figure} {window}"] = told[figure]
    return found


def check(name, told):
    """All give the same bytes, or they are not compared."""
    if told["answer"] != ANSWER or told["refused"] > 0:
        raise ValueError(f"{name} answers something else: {told}")


def page(view):
    yield """A thousand clients on one core, each with an address of its own, so many requests of theirs in flight at any
time, to a server on another core: `GET /temperature`, confirmable, answered 2.05 with four bytes. The bare echo
(`bench/echo.c`) understands nothing: it overwrites each request's bytes with those of the answer. All listen on
all addresses of both families and answer from the one that was asked. All answers are the same bytes, and checked.
With 128 in flight, the bare echo and Copal have answered 300,000 requests before (decision 0021)."""
    for window in WINDOWS:
        yield view.table(f"{window} in flight", PROGRAMS.values(), {
            "requests a second": f"per_second {window}", "server's processor, ns each": f"server_ns {window}",
            "median, us": f"p50_us {window}", "99 %, us": f"p99_us {window}"})
    yield view.bars("requests", "Processor time of the server for each request, 128 in flight", "ns",
                    {name: (name, "server_ns 128") for name in PROGRAMS.values()})
