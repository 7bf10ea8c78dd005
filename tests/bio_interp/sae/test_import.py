import subprocess
import sys


def test_importing_the_package_imports_torch_and_nothing_heavier() -> None:
    code = """
import sys, torch
before = set(sys.modules)
import bio_interp.sae
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new & {"lightning", "scipy", "pandas", "sklearn", "polars", "matplotlib", "rich"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
