"""What the scripts here share: checks that are counted, and an example's release build to run them on."""

import os
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
passed = 0


def check(what, got, wanted):
    global passed
    if got != wanted:
        sys.exit(f"{what}: {got!r}, but it should be {wanted!r}")
    passed += 1


def serve(example, drive, environment=None, host="127.0.0.1"):
    """Starts the example, calls `drive` with where it listens, ends it with SIGTERM, and wants a clean end."""
    program = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release", "examples", example)
    environment = {**os.environ, **(environment or {})}
    server = subprocess.Popen([program, "--host", host, "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = server.stderr.readline()
        if not line.startswith("listening on "):
            sys.exit(f"the server said {line!r}")
        drive(line.removeprefix("listening on ").strip())
        server.send_signal(signal.SIGTERM)
        check("a clean end", server.wait(timeout=40), 0)
    finally:
        server.kill()
        server.stderr.close()
    print(f"{passed} checks passed")
