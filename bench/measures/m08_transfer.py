"""Large bodies, in blocks and by Q-Block, beside bare datagrams."""
from figures import Target, per_line

NUMBER, TITLE, ROUNDS = 8, "Large bodies", 5
WAYS = ("bare ping-pong", "block-wise", "block-wise, 7 ahead", "bare sets of ten", "Q-Block")
PAIRS = (("block-wise", "bare ping-pong", 0.90), ("block-wise, 7 ahead", "bare ping-pong", 0.90),
         ("Q-Block", "bare sets of ten", 0.80))

TARGETS = [Target(f"{ours}, {loss} % lost, to {baseline}", (ours, f"wall {loss}"), (baseline, f"wall {loss}"),
                  at_least=least, inverse=True) for ours, baseline, least in PAIRS for loss in (0, 10)]
TARGETS += [Target(f"{ours}, by processor time, to {baseline}", (ours, "processor 0"), (baseline, "processor 0"),
                   at_least=least, inverse=True) for ours, baseline, least in PAIRS]


def round(bench):
    found = per_line(bench.alone("transfer", core=None), "{way}", "{of} {loss}")
    for figures in found.values():
        for loss in (0, 10):
            figures[f"speed {loss}"] = 1024e3 / figures[f"wall {loss}"]
    return found


def page(view):
    yield """16 MiB between two processes that share a core, in blocks of 1 KiB: block-wise one after the other (a GET),
or with seven asked for ahead, beside a bare ping-pong of as many bytes; by Q-Block in sets of ten (a PUT), beside bare sets of ten by `sendmmsg`, each
answered once. Then 128 KiB where a filter on every socket loses a tenth of all datagrams, and all send again after
2 to 3 ms at first; but the receiver of a set waits at least a second for what is missing before it asks on its own, as
RFC 9177 7.2 has it, and the bare one never does."""
    yield view.table("", WAYS, {"MB/s": "speed 0", "processors, ns a block": "processor 0", "MB/s, 10 % lost": "speed 10",
                                "processors, ns a block, 10 % lost": "processor 10"})
    yield view.bars("transfer", "16 MiB, nothing lost: MB/s", "MB/s", {way: (way, "speed 0") for way in WAYS})
