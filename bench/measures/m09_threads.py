"""Two server threads on one port against one."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 9, "Threads", 5
PROGRAMS = {"bare echo": ("echo", "{}"), "Copal": ("server", "threads={}")}
NAMES = (*PROGRAMS, "Copal, bare endpoint")

TARGETS = [
    Target("processor time a request, two threads to one", ("Copal", "2"), ("Copal", "1"), at_most=1.1),
    Target("on the bare endpoint", ("Copal, bare endpoint", "2"), ("Copal, bare endpoint", "1"), at_most=1.1),
]


def round(bench):
    found = {}
    for name, (program, argument) in PROGRAMS.items():
        for threads in (1, 2):
            with bench.serving(program, argument.format(threads), core=None) as server:
                told = bench.ask(server, "window=128", "peers=1000", f"seconds={0.1 if bench.quick else 0.6}", core=None)
                found.setdefault(name, {})[str(threads)] = told["server_ns"]
    lines = bench.alone("requests", "threads", core=None)
    return found | per_line(lines, NAMES[-1], "{count}")


def page(view):
    yield """Processor time for each request, ns: one endpoint on one thread, and two endpoints on two threads that share
the port (`SO_REUSEPORT`), 128 requests in flight. Nothing is pinned, and the clients share the cores with the server. On
the bare endpoint each thread asks its own, both at once, after 300,000 requests (decision 0021)."""
    yield view.table("", NAMES, {"one thread": "1", "two threads": "2"})
