#!/usr/bin/env bash
# Builds Groundswell and shows it: everything in one process, fed with a simulated company. Ctrl-C ends it.
#   deploy/demo.sh [options of `groundswell demo`]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
deploy/dependencies.sh build
cargo build --release --locked -p groundswell
exec target/release/groundswell demo --data groundswell-demo "$@"
