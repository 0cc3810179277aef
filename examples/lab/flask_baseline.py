#!/usr/bin/env python3
"""What an event loop per request costs in Flask and asyncio: the lab's figures, of Python.

    python3 -m pip install 'flask[async]'
    python3 examples/lab/flask_baseline.py --json

The lab runs it by itself with --flask. Only the call is timed, as in the lab: the view within a request context that is
there already, without a server and without a client.
"""

import argparse
import asyncio
import concurrent.futures
import json
import socket
import sys
import threading
import time

NO_FLASK = 3
FETCHES = 10
ASK = b"GET / HTTP/1.1\r\nHost: slow.test\r\nConnection: close\r\n\r\n"
COLUMNS = ["kind", "work", "concurrency", "fragments", "loops", "p50_ns", "p99_ns", "per_second"]

# ---- What a fragment does: as a coroutine, and as blocking code.


async def fetch(endpoint):
    reader, writer = await asyncio.open_connection(*endpoint)
    try:
        writer.write(ASK)
        answer = await reader.read()
    finally:
        writer.close()
    check(answer)


def fetch_blocking(endpoint):
    with socket.create_connection(endpoint, timeout=5) as connection:
        connection.sendall(ASK)
        answer = b""
        while block := connection.recv(4096):
            answer += block
    check(answer)


def check(answer):
    if not answer.endswith(b"slow\n"):
        raise RuntimeError(f"the slow endpoint gave another answer: {answer!r}")


def works(endpoint):
    """By name, the coroutine function and the blocking one."""

    def sleep(seconds):
        async def waits():
            await asyncio.sleep(seconds)

        return waits, lambda: time.sleep(seconds)

    async def ready():
        pass

    async def together():
        await asyncio.gather(*(fetch(endpoint) for _ in range(FETCHES)))

    async def in_turn():
        for _ in range(FETCHES):
            await fetch(endpoint)

    def together_blocking():
        with concurrent.futures.ThreadPoolExecutor(FETCHES) as pool:
            list(pool.map(fetch_blocking, [endpoint] * FETCHES))

    def in_turn_blocking():
        for _ in range(FETCHES):
            fetch_blocking(endpoint)

    return {
        "ready": (ready, lambda: None),
        "sleep1": sleep(0.001),
        "sleep10": sleep(0.01),
        "fetch": (together, together_blocking),
        "fetch-in-turn": (in_turn, in_turn_blocking),
    }


# ---- The kinds: each gives a function to be called in each thread, which gives the call that is timed.


def kinds(flask, coroutine, blocking, pool):
    app = flask.Flask("flask_baseline")

    @app.get("/sync")
    def sync_view():
        blocking()
        return ""

    @app.get("/async")
    async def async_view():
        await coroutine()
        return ""

    def view(path):
        def in_thread():
            app.test_request_context(path).push()

            def call():
                if app.full_dispatch_request().status_code != 200:
                    raise RuntimeError(f"{path} failed")

            return call

        return in_thread

    def bare():
        return lambda: asyncio.run(coroutine())

    def new_loop():
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(coroutine())
        finally:
            loop.close()

    return [
        ("flask sync view", view("/sync")),
        ("flask async view", view("/async")),
        ("asyncio.run", bare),
        ("executor + new loop", lambda: lambda: pool.submit(new_loop).result()),
    ]


# ---- The measuring.


class Loops:
    """Counts the event loops that are made, whoever makes them."""

    def __init__(self):
        self.made, self.lock = 0, threading.Lock()
        made_by = asyncio.base_events.BaseEventLoop.__init__

        def counted(loop, *args, **kwargs):
            with self.lock:
                self.made += 1
            made_by(loop, *args, **kwargs)

        asyncio.base_events.BaseEventLoop.__init__ = counted


def process():
    """Threads and resident memory in KiB, where the system tells."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines["Threads"]), int(lines["VmRSS"].split()[0])
    except (OSError, KeyError):
        return None, None


def measure(loops, work, kind, in_thread, concurrency, n, seconds):
    made = loops.made
    gate, parts, failures = threading.Barrier(concurrency + 1), [], []
    until = time.perf_counter_ns() + int(seconds * 1e9)

    def run():
        try:
            call = in_thread()
            call()  # what is made once is made here
            gate.wait()
            start = end = time.perf_counter_ns()
            times = []
            while len(times) < n and (end < until or not times):
                call()
                now = time.perf_counter_ns()
                times.append(now - end)
                end = now
            parts.append((start, end, times))
        except threading.BrokenBarrierError:
            pass  # another one failed
        except Exception as error:
            failures.append(error)
            gate.abort()

    threads = [threading.Thread(target=run) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    cpu = time.process_time_ns()
    try:
        gate.wait()
        cpu = time.process_time_ns()
    except threading.BrokenBarrierError:
        pass
    most = process()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.02)
            now = process()
            most = now if None in now else tuple(map(max, most, now))
    cpu = time.process_time_ns() - cpu
    if failures:
        raise failures[0]

    times = sorted(t for part in parts for t in part[2])
    wall = max(part[1] for part in parts) - min(part[0] for part in parts)
    return {
        "source": "flask",
        "work": work,
        "kind": kind,
        "concurrency": concurrency,
        "fragments": len(times) + concurrency,
        "loops": loops.made - made,
        "ns_per_fragment": sum(times) // len(times),
        "p50_ns": times[(len(times) - 1) * 50 // 100],
        "p99_ns": times[(len(times) - 1) * 99 // 100],
        "per_second": len(times) * 1e9 / max(wall, 1),
        "threads": most[0],
        "resident_kib": most[1],
        "cpu_us_per_fragment": cpu / 1e3 / len(times),
    }


def rows(flask, options):
    loops, end = Loops(), time.monotonic() + options.seconds
    cells = [(work, threads) for work in options.work for threads in options.concurrency]
    for at, (work, threads) in enumerate(cells):
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            all_kinds = kinds(flask, *works(options.endpoint)[work], pool)
            for i, (kind, in_thread) in enumerate(all_kinds):
                left = end - time.monotonic()
                if left <= 0:
                    return
                share = min(1.0, left / ((len(cells) - at) * len(all_kinds) - i))
                n = min(options.n, max(1, 300 // threads)) if work.startswith("fetch") else options.n
                yield measure(loops, work, kind, in_thread, threads, n, share)


def parse(args):
    names = list(works(None))

    def several(kind):
        return lambda text: [kind(part) for part in text.split(",")]

    def address(text):
        host, _, port = text.rpartition(":")
        return host, int(port)

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="all rows as JSON, at the end")
    how.add_argument("--lines", action="store_true", help="each row as a line of JSON, as it is measured")
    parser.add_argument("--work", type=several(str), default=["ready"], help=f"some of {','.join(names)} (ready)")
    parser.add_argument("--n", type=int, default=20000, help="fragments on each thread, at most (20000)")
    parser.add_argument("--concurrency", type=several(int), default=[1, 8], help="numbers of threads (1,8)")
    parser.add_argument("--seconds", type=float, default=10.0, help="the time for all of it (10)")
    parser.add_argument("--endpoint", type=address, help="HOST:PORT of a slow service; the fetches need one")
    options = parser.parse_args(args)
    for work in options.work:
        if work not in names:
            parser.error(f"--work takes some of {','.join(names)}, not {work!r}")
        if work.startswith("fetch") and not options.endpoint:
            parser.error(f"{work} needs --endpoint HOST:PORT; the lab gives its own with --flask")
    if options.n < 1 or min(options.concurrency) < 1:
        parser.error("--n and --concurrency take numbers from 1 on")
    return options


def main(args):
    options = parse(args)
    try:
        import asgiref.sync  # noqa: F401 (what `async def` views need)
        import flask
    except ImportError as error:
        print(f"Flask is not at hand ({error}): python3 -m pip install 'flask[async]'", file=sys.stderr)
        return NO_FLASK
    measured = []
    for row in rows(flask, options):
        measured.append(row)
        if options.lines:
            print(json.dumps(row), flush=True)
        elif not options.json:
            if len(measured) == 1:
                print("\t".join(COLUMNS))
            print("\t".join(str(row[name]) for name in COLUMNS), flush=True)
    if options.json:
        print(json.dumps({"rows": measured, "notes": []}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
