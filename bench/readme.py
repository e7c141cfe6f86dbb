"""README.md's table of speeds: a selection of what bench/run.py found, between two marks."""
import re

import plot

MARKS = re.compile(r"(<!-- speeds: made by bench/page.py -->\n).*?(<!-- end of speeds -->)", re.DOTALL)

# what it is | measure | figure | ours, bare, libcoap, as variants | unit, and how many of the figure's own it is
ROWS = (
    ("a request, 128 in flight: the server's processor time", "m01_requests", "server_ns 128",
     ("Copal", "bare echo", "libcoap"), "us", 1000),
    ("a notification to each of 10,000 observers, NON", "m06_notify", "processor 10000",
     ("NON", "bare sendmmsg", None), "us", 1000),
    ("16 MiB block-wise, 1 KiB at a time", "m08_transfer", "speed 0", ("block-wise", "bare ping-pong", None), "MB/s", 1),
    ("with 7 blocks asked for ahead", "m08_transfer", "speed 0", ("block-wise, 7 ahead", "bare ping-pong", None), "MB/s", 1),
    ("16 MiB by Q-Block, ten at a time", "m08_transfer", "speed 0", ("Q-Block", "bare sets of ten", None), "MB/s", 1),
)
CODEC = (("decode a 34-byte GET and walk its 5 options", ("decode copal", "copy memcpy", "decode libcoap, PDU kept")),
         ("encode it", ("encode copal", "copy memcpy", "encode libcoap")))


def rows(found):
    figures = {name: result["figures"] for name, result in found["measures"].items()}
    for title, measure, figure, variants, unit, many in ROWS:
        yield title, [cell(figures, measure, variant, figure, unit, many) for variant in variants]
    for title, columns in CODEC:
        yield title, [cell(figures, "m02_codec", "GET, 5 options", figure, "ns", 1) for figure in columns]


def cell(figures, measure, variant, figure, unit, many):
    one = figures.get(measure, {}).get(variant, {}).get(figure)
    return "–" if one is None else f"{plot.number(one['median'] / many)} {unit}"


def speeds(found):
    machine = found["machine"]
    lines = [f"As `make bench` measured on {found['date']} with {machine['cores']} cores ({machine['processor']}), medians",
             "of rounds taken by turns; ratios say more than figures. [All of them](docs/benchmarks.md), what was to be",
             "reached, and where it was not.", "",
             "| | Copal | the bare socket, or memcpy | libcoap 4.3.1 |", "| --- | --- | --- | --- |"]
    lines += [f"| {title} | " + " | ".join(cells) + " |" for title, cells in rows(found)]
    return "\n".join(lines) + "\n"


def rewrite(text, found):
    """README.md with the table made anew. It must have the marks."""
    if not MARKS.search(text):
        raise ValueError("README.md has no marks for the table of speeds")
    return MARKS.sub(lambda match: match.group(1) + "\n" + speeds(found) + "\n" + match.group(2), text)
