"""Every limit of copal_config is named in a test that fills it to the brim: tests/unit/endpoint/exhaustion_*_test.c."""
import re

import source

HEADER = "include/copal/copal.h"
CONFIG = re.compile(r"typedef struct copal_config \{(.*?)\n\} copal_config;", re.DOTALL)
LIMIT = re.compile(r"^\s+uint32_t (\w+);", re.MULTILINE)
TEST = re.compile(r"/exhaustion_\w+_test\.c$")


def check(files):
    config = CONFIG.search(files[HEADER])
    if config is None:
        return [f"{HEADER}: there is no copal_config"]
    code = "\n".join(source.blank_comments_and_strings(text) for path, text in files.items() if TEST.search(path))
    return [f"{HEADER}: {limit} is set by no exhaustion test: what happens when it is reached?"
            for limit in LIMIT.findall(source.blank_comments_and_strings(config.group(1)))
            if not re.search(rf"\bconfig\.{limit} = ", code)]


def planted(test):
    return {HEADER: "typedef struct copal_config {\n  uint32_t peers_max; /* a */\n  bool raw;\n} copal_config;\n",
            "tests/unit/endpoint/exhaustion_a_test.c": test}


PLANTED = {"peers_max is set by no": planted("/* config.peers_max = 1; */"),
           "there is no copal_config": {HEADER: ""}}

FILES = source.read_tree(("_test.c",), ("tests",))
FILES[HEADER] = (source.ROOT / HEADER).read_text(encoding="utf-8")
source.run(check, FILES, PLANTED, planted("config.peers_max = 1;"))
