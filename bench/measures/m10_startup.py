"""Opening an endpoint for a million exchanges."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 10, "Start", 11

TARGETS = [Target("time to open", ("Copal", "time"), at_most=10, unit=" ms"),
           Target("resident memory", ("Copal", "resident"), at_most=4096, unit=" KiB")]


def round(bench):
    return per_line(bench.alone("startup"), "Copal", "{of}")


def page(view):
    yield """`copal_open` with limits of a million exchanges and peers, and one pass of its loop: how long it takes, how much
memory is then resident, and how much is reserved. Memory is committed as it is touched."""
    yield view.table("", ["Copal"], {"ms": "time", "KiB resident": "resident", "MiB reserved": "reserved"})
