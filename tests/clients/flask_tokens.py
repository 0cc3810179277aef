"""Tokens and password hashes, made by the tokens example and by itsdangerous and Werkzeug, each read by the other.

    python3 tests/clients/flask_tokens.py     (needs `flask`; `cargo build --release --example tokens --features
                                               passwords` comes first)

Every check is an assertion; the last line says how many there were.
"""

import hashlib
import json
import pathlib
import random
import subprocess

from itsdangerous import BadSignature, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from werkzeug.security import check_password_hash, generate_password_hash

EXAMPLE = pathlib.Path(__file__).parents[2] / "target/release/examples/tokens"
DERIVATIONS = ["django-concat", "concat", "hmac", "none"]
DIGESTS = ["sha1", "sha256", "sha512"]
checked = 0


def check(what, got, wanted):
    global checked
    assert got == wanted, f"{what}: {got!r}, and not {wanted!r}"
    checked += 1


class Ours:
    """The example: a line of JSON in, a line of JSON out."""

    def __init__(self):
        self.process = subprocess.Popen([EXAMPLE, "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def values(rng):
    texts = ["", "abc", "Zo\u00eb \U0001f600 \"x\" \x7f\n", "a.b-c_d", "x" * 500]
    yield from texts
    yield from [0, 42, -1, 2**63 - 1, 1.5, 1e16, 1e-7, True, None, [], {}, [1, [2, {"k": "\u00e9"}]]]
    for _ in range(50):
        yield [rng.choice(texts), rng.randrange(10**12), {"k": "ab" * rng.randrange(60)}]


def drive(ours):
    rng = random.Random(1)
    for derivation in DERIVATIONS:
        for digest in DIGESTS:
            options = {"key_derivation": derivation, "digest_method": getattr(hashlib, digest)}
            how = {"key": "k\u00e9y", "salt": "s\u00e4lt", "derivation": derivation, "digest": digest}
            for text in ["", "value", "a.b.c", "\u00e9"]:
                theirs = Signer("k\u00e9y", salt="s\u00e4lt", **options)
                check("signed", ours.ask(do="sign", value=text, **how), theirs.sign(text).decode())
                check("unsigned", ours.ask(do="unsign", value=theirs.sign(text).decode(), **how), text)
                timed = TimestampSigner("k\u00e9y", salt="s\u00e4lt", **options)
                check("timed", timed.unsign(ours.ask(do="sign timed", value=text, **how), max_age=60).decode(), text)
                check("timed, theirs", ours.ask(do="unsign timed", value=timed.sign(text).decode(), **how), text)
            for value in values(rng):
                plain = URLSafeSerializer("k\u00e9y", salt="s\u00e4lt", signer_kwargs=options)
                check("token", plain.loads(ours.ask(do="dumps", value=value, **how)), value)
                check("token, theirs", ours.ask(do="loads", value=plain.dumps(value), **how), value)
                timed = URLSafeTimedSerializer("k\u00e9y", salt="s\u00e4lt", signer_kwargs=options)
                token = ours.ask(do="dumps timed", value=value, **how)
                check("timed token", timed.loads(token, max_age=60), value)
                check("timed token, theirs", ours.ask(do="loads timed", value=timed.dumps(value), **how), value)
                at = rng.randrange(len(token))
                broken = token[:at] + rng.choice("Ab0_-.~") + token[at + 1 :]
                if broken != token:
                    check("broken", ours.ask(do="loads timed", value=broken, **how), {"error": "BadSignature"})
                    try:
                        timed.loads(broken)
                        # Python's base64 takes no notice of the last bits of a last letter, and of what is no letter.
                        check("broken, theirs", at >= len(token) - 27 or broken[at] == "~", True)
                    except BadSignature:
                        check("broken, theirs", True, True)

    for method in ["scrypt", "scrypt:1024:8:2", "pbkdf2", "pbkdf2:sha1:10", "pbkdf2:sha512:10"]:
        for password in ["secret", "", "p\u00e4ss$word"]:
            made = ours.ask(do="hash", value=password, method=method)
            check("hash", (check_password_hash(made, password), check_password_hash(made, password + "x")), (True, False))
            theirs = generate_password_hash(password, method)
            check("hash, theirs", ours.ask(do="check", value=password, hash=theirs), True)
            check("wrong", ours.ask(do="check", value=password + "x", hash=theirs), False)
            check("form", [len(p) for p in made.split("$")], [len(p) for p in theirs.split("$")])


if __name__ == "__main__":
    ours = Ours()
    try:
        drive(ours)
    finally:
        ours.process.stdin.close()
        ours.process.wait()
    print(f"{checked} checks")
