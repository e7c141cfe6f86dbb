#!/usr/bin/env python3
"""Runs the measures and writes what they found as one JSON file, from which bench/page.py makes the page.

A measure is a module in bench/measures/: NUMBER, TITLE, ROUNDS, TARGETS, round(bench), which runs each of its programs
once by turns and returns {variant: {figure: value}}, and page(view), which lays out its part of the page."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import figures
import harness
import measures

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    options = read_options()
    bench = harness.Bench(options.programs, options.quick)
    results = {"machine": machine(), "date": datetime.date.today().isoformat(), "commit": commit(),
               "quick": options.quick, "measures": {}}
    failed = []
    for measure in measures.ALL:
        name = measure.__name__.rsplit(".", 1)[-1]
        if options.only and name not in options.only:
            continue
        try:
            results["measures"][name] = run(bench, measure, options.rounds or (1 if options.quick else measure.ROUNDS))
        except (subprocess.SubprocessError, ValueError) as error:
            failed.append(f"{name}: {error}")
            print(f"{measure.NUMBER:3}  {measure.TITLE}: failed: {error}", flush=True)
        options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit("\n".join(failed) or 0)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/bench", help="where they were built")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/bench.json")
    parser.add_argument("--quick", action="store_true", help="one short round of each: shows that all works")
    parser.add_argument("--rounds", type=int, help="instead of each measure's own number")
    parser.add_argument("--only", nargs="+", metavar="MEASURE")
    return parser.parse_args()


def run(bench, measure, count):
    start = time.monotonic()
    rounds = [measure.round(bench) for _ in range(count)]
    seconds = time.monotonic() - start
    print(f"{measure.NUMBER:3}  {measure.TITLE}: {count} rounds in {seconds:.0f} s", flush=True)
    reached = [figures.reach(target, rounds) for target in measure.TARGETS]
    for one in reached:
        print(f"       {one['name']}: {told(one)}", flush=True)
    return {"number": measure.NUMBER, "title": measure.TITLE, "rounds": count, "seconds": round(seconds, 1),
            "figures": figures.summarise(rounds), "targets": reached}


def told(one):
    if one["is_reached"] is None:
        return "no figure"
    return f"{one['median']:.3g}{one['unit']} {'reached' if one['is_reached'] else 'not reached'}"


def machine():
    """What the figures depend on."""
    model = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
             if line.startswith("model name")]
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False).stdout
    return {"processor": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "compiler": compiler.split("\n", maxsplit=1)[0],
            "load": round(os.getloadavg()[0], 2)}


def commit():
    result = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False)
    return result.stdout.strip()


if __name__ == "__main__":
    main()
