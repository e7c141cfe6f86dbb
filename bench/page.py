#!/usr/bin/env python3
"""Makes docs/benchmarks.md and its plots from the JSON file that bench/run.py wrote, and from nothing else."""
import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import measures
import plot
import readme

ROOT = pathlib.Path(__file__).resolve().parents[1]


class View:
    """What a measure found, for its part of the page: each call returns the Markdown of a table or of a plot."""

    def __init__(self, result, folder):
        self.figures = result["figures"]
        self.folder = folder

    def find(self, variant, figure):
        return self.figures.get(variant, {}).get(figure)

    def table(self, title, variants, columns):
        """Medians with the spread of the rounds, a row for each variant. columns: {title: figure}."""
        rows = [f"| {title} | " + " | ".join(columns) + " |", "|" + " --- |" * (len(columns) + 1)]
        for variant in variants:
            if variant in self.figures:
                cells = [cell(self.find(variant, figure)) for figure in columns.values()]
                rows.append(f"| {variant} | " + " | ".join(cells) + " |")
        return "\n".join(rows)

    def bars(self, name, title, unit, places):
        values = {label: self.find(*place) for label, place in places.items() if self.find(*place)}
        return self.picture(name, title, plot.bars(title, unit, values)) if values else ""

    def lines(self, name, title, x_title, unit, series):
        found = {label: [(x, self.find(*place)) for x, place in points if self.find(*place)]
                 for label, points in series.items()}
        found = {label: points for label, points in found.items() if points}
        return self.picture(name, title, plot.lines(title, x_title, unit, found)) if found else ""

    def picture(self, name, title, svg):
        (self.folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        return f"![{title}](benchmarks/{name}.svg)"


def cell(one):
    if one is None:
        return "–"
    if one["max"] - one["min"] < 0.005 * abs(one["median"]):
        return plot.number(one["median"])
    return f"{plot.number(one['median'])} ({plot.number(one['min'])} to {plot.number(one['max'])})"


def target_rows(results):
    """The table of all targets."""
    rows = ["| # | measure | median | least to greatest | to reach | |", "|" + " --- |" * 6]
    for result in results.values():
        for one in result["targets"]:
            limit = f"≥ {one['at_least']:g}" if one["at_least"] is not None else f"≤ {one['at_most']:g}"
            spread = "–"
            median = "–"
            if one["is_reached"] is not None:
                median = plot.number(one["median"]) + one["unit"]
                spread = f"{plot.number(one['min'])} to {plot.number(one['max'])}"
            mark = {True: "reached", False: "not reached", None: "no figure"}[one["is_reached"]]
            rows.append(f"| {result['number']} | {result['title']}: {one['name']} | {median} | {spread} | {limit}"
                        f"{one['unit']} | {mark} |")
    return "\n".join(rows)


def opening(found):
    machine = found["machine"]
    return f"""# Benchmarks

Made by `make bench` on {found['date']}, at commit {found['commit']}, by `bench/run.py` and `bench/page.py`: do not edit.
{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['compiler']}; load before the run:
{machine['load']}.

In each round every program runs once, by turns, so that all meet the same conditions. Figures are medians over the
rounds, with the least and the greatest in brackets. Ratios are taken within a round, and then the median of these.
Where server and client are two processes, each has a core of its own unless it says otherwise. Requests a second depend
on what else the machine does; processor time, which is the server's alone, hardly does. What is compared gives the same
bytes, on sockets with the same options; [`bench/README.md`](../bench/README.md) says how.

## Targets
"""


def make(found, output, folder):
    folder.mkdir(parents=True, exist_ok=True)
    parts = [opening(found), target_rows(found["measures"])]
    for measure in measures.ALL:
        result = found["measures"].get(measure.__name__.rsplit(".", 1)[-1])
        if result is None:
            continue
        parts.append(f"\n## {result['number']}. {result['title']}\n")
        parts.append("\n\n".join(part for part in measure.page(View(result, folder)) if part))
        parts.append(f"\n{result['rounds']} rounds.")
    output.write_text("\n".join(parts) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=pathlib.Path, default=ROOT / "build/bench.json")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/benchmarks.md")
    parser.add_argument("--readme", action="store_true", help="make README.md's table of speeds anew, too")
    options = parser.parse_args()
    found = json.loads(options.input.read_text(encoding="utf-8"))
    make(found, options.output, options.output.parent / "benchmarks")
    if options.readme:
        path = ROOT / "README.md"
        path.write_text(readme.rewrite(path.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
