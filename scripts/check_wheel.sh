#!/bin/bash
# Build the wheel, install it in a fresh environment, and use it from another folder.
# The dependencies come from .venv through a .pth file (torch alone is a gigabyte); such a file does
# not follow the editable install in there, so the repository itself is out of reach.
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

.venv/bin/python -m build --wheel --outdir "$tmp/dist" . >"$tmp/build.log" 2>&1 || { cat "$tmp/build.log"; exit 1; }
.venv/bin/python -m venv "$tmp/env"
"$tmp/env/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$tmp"/dist/*.whl
site=$("$tmp/env/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" >"$site/dependencies.pth"
git ls-files bio_interp plugins >"$tmp/tracked"
cp scripts/check_wheel.py "$tmp/"
cd "$tmp"
env/bin/python -I check_wheel.py tracked dist/*.whl
env/bin/bio-interp --help >/dev/null
env/bin/bio-interp plugins
