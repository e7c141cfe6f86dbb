"""docs/conformance.md has a row for each plugtest that there is, and says what they have found out. The second is
looked at when all of them have run in this build folder; what they find out does not change from run to run."""
import importlib.machinery
import importlib.util
import pathlib
import re
import sys

import source

PAGE = "docs/conformance.md"
TEST = re.compile(r'^    \{"(TD_COAP_\w+)",', re.MULTILINE)
ROW = re.compile(r"^\| (TD_COAP_\w+) \|", re.MULTILINE)


def load(path):
    """A script is a module without a suffix."""
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    loader.exec_module(module)
    return module


conformance = load(source.ROOT / "scripts" / "conformance")


def check(files):
    page = files[PAGE]
    rows, tests = ROW.findall(page), [test for path, text in files.items() if path.endswith(".c")
                                      for test in TEST.findall(text)]
    complaints = [f"{PAGE}: {test} is missing: run scripts/conformance" for test in sorted(set(tests) - set(rows))]
    complaints += [f"{PAGE}: there is no {row}: run scripts/conformance" for row in sorted(set(rows) - set(tests))]
    results, titles = conformance.read_results(FOLDER) if "results" not in files else parse(files["results"])
    if results and conformance.document(results, titles) != page and not complaints:
        complaints.append(f"{PAGE}: the plugtests have found out something else: run scripts/conformance")
    return complaints


def parse(planted):
    """Results of one test with ours."""
    return {("TD_COAP_CORE_01", "copal", "server"): (planted, "")}, {"TD_COAP_CORE_01": "GET"}


def planted(result, page_result, test="TD_COAP_CORE_01"):
    return {"tests/plugtest/core_test.c": f'    {{"{test}", "GET"}},\n', "results": result,
            PAGE: conformance.document(*parse(page_result))}


FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "")
COMPLETE = all((FOLDER / name).is_file() for name in conformance.result_files())
PLANTED = {
    "TD_COAP_CORE_02 is missing": planted("passed", "passed", "TD_COAP_CORE_02"),
    "there is no TD_COAP_CORE_01": planted("passed", "passed", "TD_COAP_CORE_02"),
    "something else": planted("failed", "passed"),
}

FILES = {path: text for path, text in source.read_tree((".c",), ("tests",)).items() if "/plugtest/" in path}
FILES[PAGE] = (source.ROOT / PAGE).read_text(encoding="utf-8")
if not COMPLETE:
    print("the plugtests have not all run: only their names are compared")
    FOLDER = pathlib.Path("")
source.run(check, FILES, PLANTED, planted("passed", "passed"))
