#!/usr/bin/env python3
"""A test of the measures, not of the speed: one short round of each, whose JSON must be complete and make a page whose
plots are sound. No time is looked at. What README.md says of memory, which is the same on every run, must be so."""
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER))

import figures
import measures
import readme


def check_figures():
    """Ratios are taken within a round; costs are turned round; what is missing is said to be."""
    rounds = [{"ours": {"ns": 10}, "bare": {"ns": 8}}, {"ours": {"ns": 100}, "bare": {"ns": 90}},
              {"ours": {"ns": 10}, "bare": {"ns": 2}}, {"ours": {}}]
    target = figures.Target("cost", ("ours", "ns"), ("bare", "ns"), at_least=0.8, inverse=True)
    told = figures.reach(target, rounds)
    assert (told["median"], told["min"], told["max"], told["is_reached"]) == (0.8, 0.2, 0.9, True), told
    assert figures.reach(figures.Target("cost", ("ours", "ns"), at_most=9), rounds)["is_reached"] is False
    assert figures.reach(figures.Target("cost", ("ours", "us"), at_most=9), rounds)["is_reached"] is None
    assert figures.summarise(rounds)["bare"]["ns"]["values"] == [8, 90, 2]


def check_results(found):
    """Every measure has figures, and one for each place that a target names unless only long runs have it."""
    for module in measures.ALL:
        result = found["measures"][module.__name__.rsplit(".", 1)[-1]]
        assert result["figures"], module.TITLE
        assert len(result["targets"]) == len(module.TARGETS), module.TITLE
        for variant, told in result["figures"].items():
            for figure, one in told.items():
                assert len(one["values"]) == 1 and one["min"] == one["median"] == one["max"], (variant, figure)
    assert any(one["is_reached"] is not None for one in found["measures"]["m01_requests"]["targets"])


def check_readme(found):
    text = readme.rewrite("before\n<!-- speeds: made by bench/page.py -->\nold\n<!-- end of speeds -->\nafter\n", found)
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text, text
    row = next(line for line in text.splitlines() if "encode it" in line)
    assert len(row.split("|")) == 6 and "–" not in row, row


def check_memory(programs):
    told = subprocess.run([pathlib.Path(programs) / "sizes", "--json"], check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in told.splitlines()]
    promised = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    sizes = [f"| {line['bytes']:,}" for line in lines if line.get("term") == "all"]
    sizes += [f"| {line['record']}" for line in lines if "each" in line]
    assert len(sizes) == 7, sizes
    for size in sizes:
        assert size in promised, f"README.md's table of memory lacks {size}"


def check_page(folder):
    page = (folder / "benchmarks.md").read_text(encoding="utf-8")
    for module in measures.ALL:
        assert f"## {module.NUMBER}. {module.TITLE}" in page, module.TITLE
    plots = list((folder / "benchmarks").glob("*.svg"))
    assert len(plots) >= 6, plots
    for path in plots:
        xml.etree.ElementTree.parse(path)
        assert f"benchmarks/{path.name}" in page, path.name


def main():
    check_figures()
    check_memory(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.executable, "-B", FOLDER / "run.py", "--quick", "--programs", sys.argv[1], "--output",
                        folder / "bench.json"], check=True)
        found = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
        check_results(found)
        check_readme(found)
        subprocess.run([sys.executable, "-B", FOLDER / "page.py", "--input", folder / "bench.json", "--output",
                        folder / "benchmarks.md"], check=True)
        check_page(folder)


main()
