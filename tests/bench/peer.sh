#!/usr/bin/env bash
# Runs peer.py in a virtual environment, which is made the first time. Takes the options of peer.py.
#   PEER_VENV  folder of the virtual environment (default: .run/peer-venv in the repository)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${PEER_VENV:-$(cd "$here/../.." && pwd)/.run/peer-venv}
if ! cmp -s "$here/requirements.txt" "$venv/installed"; then
  python3 -m venv "$venv" >&2 || { echo "peer.sh: Python's venv is needed (Debian: apt-get install python3-venv)" >&2; exit 1; }
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" >&2
  cp "$here/requirements.txt" "$venv/installed"
fi
# One thread for linear algebra: the batches are small, and the machine has others to serve.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec "$venv/bin/python" "$here/peer.py" "$@"
