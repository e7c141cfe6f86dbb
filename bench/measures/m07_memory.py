"""What a peer, an observer, an exchange and a duplicate take: by the tables' sizes, and as resident memory."""
from figures import Target

NUMBER, TITLE, ROUNDS = 7, "Memory", 5
EACH = {"idle peer": 64, "observer": 96, "exchange, without its message": 64,
        "remembered duplicate, without its reply": 32}
SERVERS = {"Copal": ("server",), "libcoap": ("libcoap_server",)}
PEERS, OBSERVERS = 10000, 5000

TARGETS = [Target(f"a record: {name}", ("record", name), at_most=most, unit=" bytes") for name, most in EACH.items()]
TARGETS += [Target(f"with its share of the indexes: {name}", ("with indexes", name), at_most=most, unit=" bytes")
            for name, most in EACH.items()]


def round(bench):
    found = {"record": {}, "with indexes": {}}
    for line in bench.alone("sizes"):
        if "each" in line:
            found["record"][line["each"]] = line["record"]
            found["with indexes"][line["each"]] = line["bytes"]
    for name, command in SERVERS.items():
        if not bench.has(command[0]):
            continue
        found[name] = {"peer": growth(bench, command, PEERS // 10 if bench.quick else PEERS),
                       "observer": growth(bench, command, OBSERVERS // 10 if bench.quick else OBSERVERS, "observe")}
    return found


def growth(bench, command, count, *kind):
    """Resident bytes that a server has grown by for each client that has asked once."""
    with bench.serving(*command) as server:
        before = server.resident()
        bench.ask(server, "window=64", f"peers={count}", f"requests={count}", *kind)
        return (server.resident() - before) / count


def page(view):
    yield f"""By the tables' sizes, for a million of each: a record alone, and with its share of the hash indexes, which
are powers of two. And as a server's resident memory grows for each of {PEERS:,} clients that have asked once, and for each
of {OBSERVERS:,} that observe, everything included: with us, the reply that is remembered for duplicates, and the
indexes' pages, which are touched all over, with limits as they are by default."""
    yield view.table("bytes each", ["record", "with indexes"], {name: name for name in EACH})
    yield view.table("growth of resident memory, bytes each", SERVERS, {"client": "peer", "observer": "observer"})
