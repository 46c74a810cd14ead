#!/usr/bin/env bash
# A real OpenSearch (one node, loopback only, no security) for benchmarks and trials on this machine: no container, no
# download page. It comes as Maven artifacts and runs on the Java that is installed (a JDK, 17 or newer).
set -euo pipefail

usage() {
  cat <<'TEXT'
opensearch.sh COMMAND
  start   start it and print its address; data of an earlier start is kept
  warm    let it index and refresh for some seconds, so that its Java code is compiled before something is measured
  stop    stop it
  wipe    stop it and delete its data
  status  whether it runs, and its memory
  pid     print its process id
  url     print its address
Environment:
  OPENSEARCH_RUN   folder for data and logs (default: .run/opensearch in the repository)
  OPENSEARCH_LIBS  folder for artifacts (default: .run/opensearch/libs in the repository)
  OPENSEARCH_PORT  port for HTTP (default 19200); nodes talk on the port 100 above
  OPENSEARCH_JAVA  options for Java (default "-Xms1g -Xmx1g")
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=$(cd "$here/../.." && pwd)/.run/opensearch
run=${OPENSEARCH_RUN:-$state}
libs=${OPENSEARCH_LIBS:-$state/libs}
port=${OPENSEARCH_PORT:-19200}
options=${OPENSEARCH_JAVA:--Xms1g -Xmx1g}
url=http://127.0.0.1:$port

die() {
  echo "opensearch.sh: $*" >&2
  exit 1
}

ask() { # method, path, further arguments of curl
  curl -sS -m 60 --noproxy 127.0.0.1 -X "$1" "$url$2" "${@:3}"
}

need_artifacts() {
  [[ -e $libs/complete ]] && return
  command -v java >/dev/null || die "a JDK 17 or newer is needed: install one (Debian: apt-get install openjdk-17-jdk-headless)"
  command -v mvn >/dev/null || die "Maven is needed to fetch OpenSearch: install it (Debian: apt-get install maven)"
  mkdir -p "$libs"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs" >&2 ||
    die "the artifacts could not be fetched: see Maven's message above"
  touch "$libs/complete"
}

pid_of() { cat "$run/pid" 2>/dev/null; }

runs() {
  local pid
  pid=$(pid_of) && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null
}

start() {
  need_artifacts
  if ! runs; then
    mkdir -p "$run"
    : >"$run/log"
    # shellcheck disable=SC2086 # the options are several words
    (cd "$run" && exec java $options -XX:+UseG1GC -cp "$libs/*" "$here/Node.java" "$run" "$port") >>"$run/log" 2>&1 </dev/null &
    echo $! >"$run/pid"
    disown
  fi
  await
  echo "$url"
}

await() {
  local end=$((SECONDS + 120)) health
  while true; do
    runs || die "it ended: $(tail -20 "$run/log")"
    health=$(ask GET /_cluster/health 2>/dev/null || true)
    [[ $health == *'"status":"green"'* || $health == *'"status":"yellow"'* ]] && return
    ((SECONDS < end)) || die "not ready after two minutes: see $run/log"
    sleep 0.25
  done
}

warm() {
  local file=$run/warm.ndjson round
  awk 'BEGIN {
    for (i = 0; i < 4000; i++) {
      printf "{\"index\":{\"_id\":\"warm-%d\"}}\n", i
      printf "{\"time\":\"2026-01-01T00:00:%02dZ\",\"consumer\":\"consumer-%d\",\"status\":%d,\"latency_ms\":%d.5,\"body\":\"request number %d of consumer %d took longer than it should, and the answer was %d\"}\n", i % 60, i % 97, 200 + i % 5, i % 700, i, i % 97, i * 7
    }
  }' >"$file"
  for round in $(seq 40); do
    ask POST "/warm-$((round % 8))/_bulk" -H 'content-type: application/x-ndjson' --data-binary "@$file" -o /dev/null
    ask POST '/warm-*/_refresh' -o /dev/null
  done
  ask DELETE "/warm-0,warm-1,warm-2,warm-3,warm-4,warm-5,warm-6,warm-7" -o /dev/null
  rm -f "$file"
}

stop() {
  runs || {
    rm -f "$run/pid"
    return 0
  }
  kill "$(pid_of)"
  for _ in $(seq 150); do
    runs || break
    sleep 0.1
  done
  if runs; then kill -9 "$(pid_of)"; fi
  rm -f "$run/pid"
}

status() {
  if runs; then
    echo "$url: process $(pid_of), $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$(pid_of)/status") MiB"
  else
    echo "$url: down"
  fi
}

# What a node writes below its base path.
wipe() {
  stop
  rm -rf "$run/data" "$run/node_1" "$run/config" "$run/logs" "$run/modules" "$run/plugins" "$run/log" "$run/tmp"
}

case ${1:-} in
  start) start ;;
  warm) warm ;;
  stop) stop ;;
  wipe) wipe ;;
  status) status ;;
  pid) runs && pid_of || die "it does not run" ;;
  url) echo "$url" ;;
  *)
    usage
    exit 2
    ;;
esac
