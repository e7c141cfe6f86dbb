#!/usr/bin/env python3
"""Every rule of the RFCs has a place, every quote of one is true, and docs/rfc-coverage.md says so."""
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "rfc-coverage"
sys.exit(subprocess.run([sys.executable, "-B", SCRIPT, "--check"], check=False).returncode)
