import json
import subprocess
import sys

CODE = """
import json, sys, time, torch
before = set(sys.modules)
start = time.perf_counter()
import bio_interp.sae
seconds = time.perf_counter() - start
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps([seconds, sorted(new - set(sys.stdlib_module_names))]))
"""


def test_importing_the_package_takes_a_moment_after_torch_and_imports_nothing_else() -> None:
    """No Lightning, no scipy, and no numpy unless torch itself imports it."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    seconds, packages = json.loads(done.stdout)
    assert packages == ["bio_interp"]
    assert seconds < 0.3
