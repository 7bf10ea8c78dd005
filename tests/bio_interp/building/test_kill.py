"""A build that is killed goes on, and ends with the same atlas."""

import os
import signal
import subprocess
import sys
import time

import pytest

CODE = """
import sys, torch
torch.set_num_threads(1)
from bio_interp.cli import main
main(["build", sys.argv[1], "-q"])
"""
STAGES = ("sae/run", "codes", "pack")


def start(path):
    return subprocess.Popen([sys.executable, "-c", CODE, str(path)], env={**os.environ})


def kill_when(process, there):
    """Kill a build as soon as a path is there; tell whether it was still at work."""
    while process.poll() is None and not there.exists():
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_build_killed_in_every_stage_ends_with_the_same_atlas(toy, tmp_path):
    whole = toy.write(tmp_path / "whole")  # in a process like the killed ones: threads count too
    assert start(whole).wait() == 0
    path = toy.write(tmp_path / "killed")
    killed = [kill_when(start(path), path.parent / "build.work" / stage) for stage in STAGES]
    assert sum(killed) >= 2
    assert not (path.parent / "build.work/atlas").exists() or not killed[-1]
    assert start(path).wait() == 0
    atlases = [toy.bytes_of(p.parent / "build.work/atlas") for p in (path, whole)]
    assert atlases[0] == atlases[1]
