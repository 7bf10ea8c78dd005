import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
@pytest.mark.parametrize("capability", [90])
def test_every_launch_compiles_for_a_gpu_without_spilling_registers(
    capability: int, tmp_path: Path
) -> None:
    """The interpreter takes programs that no GPU does: other types in a loop, other shapes."""
    surroundings = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("_compile.py")), str(capability)],
        capture_output=True,
        text=True,
        env=surroundings | {"TRITON_CACHE_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    usage = json.loads(done.stdout)
    names = {name.partition("/")[0] for name in usage}
    assert names == {
        "keep_above", "take_largest", "count_digits", "pick_digit", "count_kept", "write_kept",
        "encode_above", "encode_rows", "decode_rows", "sum_chunks", "sum_partials",
        "row_squares", "adam_rows",
    }  # fmt: skip
    assert {name: found for name, found in usage.items() if found["stack"] > 0} == {}
