import importlib
import os
import pkgutil
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import bio_interp

HEAVY = ("torch", "lightning", "sklearn", "pandas", "esm", "jax")
SEEN = f"import sys; print([m for m in {HEAVY!r} if m in sys.modules])"


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout


def test_every_public_name_is_there_and_nothing_else_is_promised():
    assert sorted(bio_interp.__all__) == sorted(set(bio_interp.__all__))
    for name in bio_interp.__all__:
        assert getattr(bio_interp, name) is not None
    assert set(bio_interp.__all__) <= set(dir(bio_interp))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = bio_interp.no_such_name


@pytest.mark.parametrize(
    "room", [m.name for m in pkgutil.iter_modules(bio_interp.__path__) if m.ispkg]
)
def test_every_name_that_a_room_exports_is_there(room):
    module = importlib.import_module(f"bio_interp.{room}")
    assert module.__doc__
    for name in module.__all__:
        assert hasattr(module, name), name


def test_importing_bio_interp_imports_nothing_heavy():
    assert run(f"import bio_interp; {SEEN}").strip() == "[]"


@pytest.mark.parametrize("command", [["--help"], ["annotate", "--help"], ["plugins"]])
def test_help_and_plugins_import_nothing_heavy(command):
    code = f"from bio_interp.cli._app import run; run({command!r}); {SEEN}"
    assert run(code).splitlines()[-1] == "[]"


def test_help_takes_less_than_half_a_second_of_processor_time():
    def cost():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("from bio_interp.cli._app import run; run(['--help'])")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(3)) < 0.5


def test_py_typed_lies_in_every_package():
    root = Path(bio_interp.__file__).parent
    folders = [root, *(p for p in (root.parent / "plugins").glob("bio_interp_*") if p.is_dir())]
    assert [f for f in folders if not (f / "py.typed").is_file()] == []


def test_the_command_is_installed():
    script = Path(sys.executable).with_name("bio-interp")
    if not script.exists():
        pytest.skip("not installed, only importable")
    done = subprocess.run(
        [script, "--version"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == bio_interp.__version__
