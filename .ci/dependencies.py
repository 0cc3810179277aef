"""The crate's own dependencies: at most 75 by default, none that needs a newer compiler than we say."""

import json
import subprocess
import sys

MOST = 75


def cargo(*args):
    return subprocess.run(["cargo", *args], check=True, capture_output=True, text=True).stdout


def version(text):
    return tuple(int(part) for part in (text.split(".") + ["0", "0"])[:3])


def names(*args):
    tree = cargo("tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe", *args)
    return {" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()}


packages = {f"{p['name']} v{p['version']}": p for p in json.loads(cargo("metadata", "--format-version", "1", "--all-features"))["packages"]}
ours = next(p for name, p in packages.items() if name.startswith("dewar v"))["rust_version"]
default, everything = names(), names("--all-features")
newer = [
    f"{name} needs {packages[name]['rust_version']}"
    for name in sorted(everything)
    if packages[name].get("rust_version") and version(packages[name]["rust_version"]) > version(ours)
]
print(f"{len(default)} crates by default, {len(everything)} with all features; rust-version {ours}")
if len(default) > MOST:
    sys.exit(f"more than {MOST} crates by default")
if newer:
    sys.exit("too new for our rust-version: " + ", ".join(newer))
