"""Drives the release build of the bench example with Python's `requests` and with curl, over real sockets.

    python3 tests/clients/check.py        (needs `requests`; `cargo build --release --example bench --features tls` comes first)

Every check is an assertion; the last line says how many there were.
"""

import concurrent.futures
import os
import subprocess
import tempfile

import requests
from serving import check, serve


def curl(*args):
    command = ["curl", "-sS", "--max-time", "20", *args]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def drive(url):
    with requests.Session() as session:
        answer = session.get(f"{url}/plaintext", timeout=10)
        check("plaintext", (answer.status_code, answer.text), (200, "Hello, World!"))
        check("its type", answer.headers["content-type"], "text/plain; charset=utf-8")
        check("its length", answer.headers["content-length"], "13")
        check("a Date", "date" in answer.headers, True)
        check("json", session.get(f"{url}/json", timeout=10).json(), {"message": "Hello, World!"})
        check("non-ASCII", session.get(f"{url}/hello/Zoë", timeout=10).text, "Hello, Zoë!")
        check("echo", session.post(f"{url}/echo", data=b"x" * 100_000, timeout=10).content, b"x" * 100_000)
        chunks = (b"%d," % n for n in range(1000))
        expected = b"".join(b"%d," % n for n in range(1000))
        check("an upload in chunks", session.post(f"{url}/echo", data=chunks, timeout=10).content, expected)
        check("10 MB", len(session.get(f"{url}/bytes/10000000", timeout=20).content), 10_000_000)
        head = session.head(f"{url}/bytes/10000000", timeout=10)
        check("HEAD", (head.headers["content-length"], head.content), ("10000000", b""))
        check("no such path", session.get(f"{url}/nowhere", timeout=10).status_code, 404)
        wrong = session.post(f"{url}/json", timeout=10)
        check("wrong method", (wrong.status_code, wrong.headers["allow"]), (405, "GET, HEAD, OPTIONS"))
        check("OPTIONS", session.options(f"{url}/echo", timeout=10).headers["allow"], "OPTIONS, POST")
        check("a bad escape", session.get(f"{url}/hello/%ff", timeout=10).status_code, 400)
        check("too large a number", session.get(f"{url}/sleep/99999", timeout=10).status_code, 400)
        check("a panic", session.get(f"{url}/panic", timeout=10).status_code, 500)
        check("and on it goes", session.get(f"{url}/plaintext", timeout=10).status_code, 200)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        texts = list(pool.map(lambda n: requests.get(f"{url}/hello/{n}", timeout=20).text, range(200)))
    check("200 at once, 32 at a time", texts, [f"Hello, {n}!" for n in range(200)])

    check("curl", curl(f"{url}/hello/curl"), "Hello, curl!")
    check("curl, posting", curl("-d", "a=1", f"{url}/echo"), "a=1")
    check("curl, HTTP/1.0", curl("--http1.0", f"{url}/plaintext"), "Hello, World!")
    expect = curl("-H", "Expect: 100-continue", "--data-binary", "y" * 5000, f"{url}/echo")
    check("curl, 100-continue", expect, "y" * 5000)
    two = curl(f"{url}/plaintext", f"{url}/plaintext", "-w", "%{num_connects} ")
    check("curl, keeping the connection", two, "Hello, World!1 Hello, World!0 ")
    large = curl("-o", os.devnull, "-w", "%{http_code}", "-H", "Content-Length: 99999999999", "-d", "x", f"{url}/echo")
    check("a body said to be 100 GB", large, "413")


def drive_socket(addr):
    path = addr.removeprefix("unix:")
    check("where it listens", os.path.exists(path), True)
    check("curl, a Unix socket", curl("--unix-socket", path, "http://x/hello/socket"), "Hello, socket!")
    sent = curl("--unix-socket", path, "--data-binary", "y" * 5000, "http://x/echo")
    check("curl, posting to a Unix socket", sent, "y" * 5000)


def drive_tls(url):
    check("its scheme", url.startswith("https://"), True)
    check("curl, HTTPS", curl("-k", f"{url}/hello/tls"), "Hello, tls!")
    check("curl, posting by HTTPS", curl("-k", "--data-binary", "y" * 100_000, f"{url}/echo"), "y" * 100_000)
    two = curl("-k", f"{url}/plaintext", f"{url}/plaintext", "-w", "%{num_connects} ")
    check("curl, keeping the HTTPS connection", two, "Hello, World!1 Hello, World!0 ")
    size = curl("-k", "-o", os.devnull, "-w", "%{http_code} %{size_download}", f"{url}/bytes/10000000")
    check("10 MB by HTTPS", size, "200 10000000")
    plain = curl("-w", " %{http_code}", url.replace("https://", "http://", 1))
    check("plain HTTP", ("https://" in plain, plain.split()[-1]), (True, "400"))
    old = curl("-k", "--tls-max", "1.2", f"{url}/plaintext")
    check("curl, TLS 1.2", old, "Hello, World!")


def certificate(folder):
    cert, key = f"{folder}/site.crt", f"{folder}/site.key"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return {"DEWAR_CERT": cert, "DEWAR_KEY": key}


if __name__ == "__main__":
    serve("bench", drive)
    with tempfile.TemporaryDirectory() as folder:
        serve("bench", drive_tls, certificate(folder))
    with tempfile.TemporaryDirectory() as folder:
        serve("bench", drive_socket, host=f"unix:{folder}/site.sock")
        check("no socket file is left", os.listdir(folder), [])
