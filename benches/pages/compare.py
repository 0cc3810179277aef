"""Pages by Dewar, by Flask under gunicorn and by axum, side by side: req/s with wrk and memory.

    cargo build --profile production --example pages --features sessions
    cargo build --profile production --manifest-path benches/pages/axum/Cargo.toml
    python3 -m venv target/pages && target/pages/bin/pip install flask==3.1.3 gunicorn
    python3 benches/pages/compare.py [--connections 64] [--seconds 5] [--rounds 3]

Each server runs alone, on the same cores as wrk; the rounds go around, and medians are shown. Needs Debian's wrk.
"""

import argparse
import http.client
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target")
AXUM = os.environ.get("CARGO_TARGET_DIR", f"{HERE}/axum/target")
VENV = os.environ.get("PAGES_VENV", f"{ROOT}/target/pages")
PROFILE = os.environ.get("PAGES_PROFILE", "production")
SERVERS = {
    "dewar": [f"{TARGET}/{PROFILE}/examples/pages", "--port", "{port}"],
    "flask": [f"{VENV}/bin/gunicorn", "-w2", "--threads=16", "-kgthread", f"--chdir={HERE}", "-b127.0.0.1:{port}", "flask_app:app"],
    "axum": [f"{AXUM}/{PROFILE}/pages-axum", "{port}"],
}
FORM = "title=Hello+there&body=" + "A+line+of+text%2C+with+commas.+" * 8 + "&page=2"
LUA = f'wrk.method = "POST"\nwrk.body = "{FORM}"\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(pid):
    kids = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    return [pid] + [p for kid in kids for p in tree(int(kid))]


def memory(pid):
    """Proportional set size in MB of the process and its children: what two share counts once."""
    total = 0
    for p in tree(pid):
        with open(f"/proc/{p}/smaps_rollup") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    return total / 1024


def ask(port, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, (path, answer.status, text)
    return text, answer.getheader("set-cookie")


def start(name, port):
    log = open(os.path.join(tempfile.gettempdir(), f"pages-{name}.log"), "w")
    server = subprocess.Popen([part.format(port=port) for part in SERVERS[name]], stdout=log, stderr=log)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server
        except OSError:
            assert server.poll() is None, f"{name} did not start: {log.name}"
            time.sleep(0.05)
    raise SystemExit(f"{name} does not listen: {log.name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lua = os.path.join(tempfile.gettempdir(), "pages-form.lua")
    with open(lua, "w") as f:
        f.write(LUA)

    seen = {}
    pages = {}
    for _ in range(options.rounds):
        for name in SERVERS:
            port = free_port()
            server = start(name, port)
            try:
                page, _ = ask(port, "GET", "/page")
                pages[name] = page
                _, cookie = ask(port, "GET", "/visits")
                cookie = cookie.split(";")[0]
                assert ask(port, "GET", "/visits", headers={"Cookie": cookie})[0] == "2", name
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                assert ask(port, "POST", "/form", FORM, form)[0] == "11 232 2", name
                for what, more in [
                    ("page", ["/page"]),
                    ("session", ["/visits", "-H", f"Cookie: {cookie}"]),
                    ("form", ["/form", "-s", lua]),
                ]:
                    url = f"http://127.0.0.1:{port}{more[0]}"
                    run = ["wrk", "-t1", f"-c{options.connections}", *more[1:], url]
                    # A server takes a moment to find out what it is asked for.
                    subprocess.run([*run, "-d1s"], capture_output=True, check=True)
                    time.sleep(1)  # and gunicorn's threads one to let go of the connections
                    run += [f"-d{options.seconds}s"]
                    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
                    assert "Non-2xx" not in said and "Socket errors" not in said, (name, what, said)
                    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
                    seen.setdefault((what, name), []).append(rate)
                seen.setdefault(("memory", name), []).append(memory(server.pid))
            finally:
                server.terminate()
                server.wait()

    assert pages["dewar"] == pages["flask"], "the pages differ"
    print(f"\n{options.connections} connections, {options.seconds} s, median of {options.rounds}\n")
    print("| what | " + " | ".join(SERVERS) + " | dewar / flask | dewar / axum |")
    print("| --- " * (len(SERVERS) + 3) + "|")
    for what in ["page", "session", "form", "memory"]:
        of = {name: statistics.median(seen[what, name]) for name in SERVERS}
        unit = " MB" if what == "memory" else ""
        cells = " | ".join(f"{of[name]:,.0f}{unit}" for name in SERVERS)
        flask, axum = of["dewar"] / of["flask"], of["dewar"] / of["axum"]
        print(f"| {what} | {cells} | {flask:.2f} | {axum:.2f} |")


main()
