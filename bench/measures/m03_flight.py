"""A confirmable request sent, matched with its answer and closed, while many others are in flight."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 3, "Many exchanges in flight", 5
SIZES = (1000, 10000, 100000, 1000000)
ORDERS = ("in order", "random order")

TARGETS = [
    Target("growth from 10³ to 10⁶ in flight, in order", ("in order", "1000000"), ("in order", "1000"), at_most=1.3),
    Target("with 10⁶ in flight, in order", ("in order", "1000000"), at_most=150, unit=" ns"),
    Target("growth from 10³ to 10⁶ in flight, random order", ("random order", "1000000"), ("random order", "1000"),
           at_most=3),
]


def round(bench):
    lines = bench.alone("flight")
    found = per_line([line for line in lines if line["part"] == "all"], "{order}", "{in_flight}")
    return found | per_line([line for line in lines if line["part"] != "all"], "{order}: {part}", "{in_flight}")


def page(view):
    yield """On the bare endpoint, without sockets: nanoseconds to send a confirmable request, give it out, take in its
piggybacked answer and close it, while so many others to peers of their own are in flight and answered in the order of
their transmission, or in a random one."""
    rows = [f"{order}{part}" for order in ORDERS for part in ("", ": send", ": transmit", ": match and close")]
    yield view.table("", rows, {f"{size:,}": str(size) for size in SIZES})
    yield view.lines("flight", "An exchange while others are in flight", "in flight", "ns",
                     {order: [(size, (order, str(size))) for size in SIZES] for order in ORDERS})
