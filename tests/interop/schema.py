"""Checks standard input, an object a line, against docs/copal.schema.json, and then against Python expressions, the
arguments, in which `o` are the objects, `first` is the first and `body(object)` the bytes of an answer. Exit status 1
tells what is wrong."""
import base64
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).parents[2] / "docs/copal.schema.json"


def body(found):
    response = found["response"]
    decode = {"text": str.encode, "base64": base64.b64decode}
    return decode[response["encoding"]](response["payload"])


def main():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = [json.loads(line) for line in sys.stdin]
    complaints = [f"{error.json_path}: {error.message}" for item in found for error in validator.iter_errors(item)]
    names = {"o": found, "first": found[0] if found else None, "body": body}
    complaints += [f"not so: {claim}" for claim in sys.argv[1:] if not eval(claim, names)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


sys.exit(main())
