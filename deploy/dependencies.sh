#!/usr/bin/env bash
# Installs the Debian packages that are missing: for building (a C compiler, make, OpenSSL and zlib headers for librdkafka), and for tests (a JDK and Maven
# for a real Kafka, Python, systemd-analyze for the units). Does nothing where all is there; elsewhere than on Debian it names what is missing.
#   deploy/dependencies.sh build [test]
set -euo pipefail
need=()
have() { command -v "$1" >/dev/null 2>&1; }
have cc && have c++ || need+=(build-essential)
have make || need+=(make)
have pkg-config || need+=(pkg-config)
pkg-config --exists openssl 2>/dev/null || need+=(libssl-dev)
pkg-config --exists zlib 2>/dev/null || need+=(zlib1g-dev)
if [[ " $* " == *" test "* ]]; then
  have java || need+=(default-jdk-headless)
  have mvn || need+=(maven)
  have curl || need+=(curl)
  have python3 || need+=(python3)
  have systemd-analyze || need+=(systemd)
  python3 -c 'import yaml' 2>/dev/null || need+=(python3-yaml)
fi
have cargo || { echo "cargo is missing: install Rust 1.91 or newer (https://rustup.rs)" >&2; exit 1; }
if ((${#need[@]} == 0)); then exit 0; fi
if ! have apt-get; then echo "missing: ${need[*]} (Debian names); install them and try again" >&2; exit 1; fi
sudo=""; [[ $(id -u) == 0 ]] || sudo=sudo
echo "installing: ${need[*]}" >&2
$sudo apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${need[@]}" >&2
