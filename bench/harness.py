"""How the programs are run: pinned to cores, with time limits, their lines of JSON taken in."""
import contextlib
import json
import os
import pathlib
import subprocess

SERVER_CORE, CLIENT_CORE = 0, 1


class Bench:
    """Where the programs are, and how much is to be done."""

    def __init__(self, folder, quick):
        self.folder = pathlib.Path(folder)
        self.quick = quick

    def has(self, program):
        return (self.folder / program).exists()

    def alone(self, program, *arguments, core=SERVER_CORE):
        """One round of a program that measures for itself: its lines. core None leaves it all cores."""
        command = [*pin(core), self.folder / program, "--json", "--rounds", "1", *arguments]
        if self.quick:
            command.append("--quick")
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
        return [json.loads(line) for line in output.splitlines()]

    @contextlib.contextmanager
    def serving(self, program, *arguments, core=SERVER_CORE):
        """A server under way. What it tells when it is stopped is in its `last`."""
        process = subprocess.Popen([*pin(core), self.folder / program, *arguments], stdout=subprocess.PIPE, text=True)
        server = Server(process)
        try:
            yield server
        finally:
            process.terminate()
            rest = process.communicate(timeout=30)[0].strip()
            server.last = json.loads(rest) if rest else {}

    def ask(self, server, *arguments, core=CLIENT_CORE, program="client"):
        """What a client finds out about a server."""
        command = [*pin(core), self.folder / program, f"port={server.port}", f"pid={server.pid}", *arguments]
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
        return json.loads(output)


class Server:
    """A server's process, its port, its memory."""

    def __init__(self, process):
        self.pid = process.pid
        self.port = json.loads(process.stdout.readline())["port"]
        self.last = {}

    def resident(self):
        """Bytes of it that are in memory."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")


def pin(core):
    """A command's prefix. On a machine with one core all share it."""
    return [] if core is None else ["taskset", "-c", str(min(core, os.cpu_count() - 1))]
