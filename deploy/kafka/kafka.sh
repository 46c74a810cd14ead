#!/usr/bin/env bash
# A real Apache Kafka for tests and trials on this machine: no container, no download page. The
# broker comes as Maven artifacts and runs on the Java that is installed (17 or newer).
set -euo pipefail

usage() {
  cat <<'TEXT'
kafka.sh COMMAND
  start [N]   start a cluster of 1 (default) or 3 brokers and print its bootstrap address; data of an earlier start is kept
  stop        stop the brokers
  wipe        stop them and delete their data
  kill9 ID    kill one broker as a power cut would
  pause ID    let one broker hang, so that nobody answers; its connections stay
  resume ID   let it go on
  one ID      start one broker again
  status      which brokers run, and their memory
  bootstrap   print the bootstrap address
  acl ARGS    grant or deny, as Kafka's kafka-acls.sh does
  topic ARGS  make, change or describe topics, as Kafka's kafka-topics.sh does
Environment:
  KAFKA_RUN   folder for artifacts, data and logs (default: .run/kafka in the repository)
  KAFKA_PORT  port of the first broker (default 19092); the others follow, controllers listen 100 above
  KAFKA_AUTH  if set, brokers also listen 50 above with SASL/PLAIN, for the users of sasl.properties, and permissions hold there:
              who comes over the other port may do everything
  KAFKA_HEAP  options for the Java heap (default "-Xms64m -Xmx512m")
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=${KAFKA_RUN:-$(cd "$here/../.." && pwd)/.run/kafka}
port=${KAFKA_PORT:-19092}
heap=${KAFKA_HEAP:--Xms64m -Xmx512m}
libs=${KAFKA_LIBS:-$run/libs}
# Any UUID in 22 characters of base64; all brokers of a cluster share it.
cluster=Z3JvdW5kc3dlbGwtdGVzdA

die() {
  echo "kafka.sh: $*" >&2
  exit 1
}

need_artifacts() {
  # What was fetched for another list of artifacts is fetched again.
  cmp -s "$here/pom.xml" "$libs/complete" && return
  command -v java >/dev/null || die "Java 17 or newer is needed: install a JDK (Debian: apt-get install openjdk-17-jdk-headless)"
  command -v mvn >/dev/null || die "Maven is needed to fetch the broker: install it (Debian: apt-get install maven)"
  mkdir -p "$libs"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs" >&2 ||
    die "the broker's artifacts could not be fetched: see Maven's message above"
  cp "$here/pom.xml" "$libs/complete"
}

brokers() {
  local file
  for file in "$run"/conf/*.properties; do
    [[ -e $file ]] && basename "$file" .properties
  done
  return 0
}

broker_port() { echo $((port + $1 - 1)); }
controller_port() { echo $((port + 99 + $1)); }

bootstrap() {
  local id list=()
  for id in $(brokers); do list+=("127.0.0.1:$(broker_port "$id")"); done
  (IFS=, && echo "${list[*]-}")
}

configure() { # id, number of brokers
  local id=$1 n=$2 voters=() i in_sync=1
  ((n > 1)) && in_sync=2
  for ((i = 1; i <= n; i++)); do voters+=("$i@127.0.0.1:$(controller_port "$i")"); done
  mkdir -p "$run/conf" "$run/log"
  {
    sed -e "s|@RUN@|$run|; s|@ID@|$id|; s|@N@|$n|; s|@IN_SYNC@|$in_sync|" "$here/broker.properties"
    echo "controller.quorum.voters=$(IFS=, && echo "${voters[*]}")"
    local open="PLAINTEXT://127.0.0.1:$(broker_port "$id")" guarded=
    if [[ -n ${KAFKA_AUTH:-} ]]; then
      guarded=",SASL_PLAINTEXT://127.0.0.1:$(($(broker_port "$id") + 50))"
      cat "$here/sasl.properties"
    fi
    echo "listeners=$open$guarded,CONTROLLER://127.0.0.1:$(controller_port "$id")"
    echo "advertised.listeners=$open$guarded"
  } >"$run/conf/$id.properties"
}

pid_of() { cat "$run/$1.pid" 2>/dev/null; }

runs() {
  local pid
  pid=$(pid_of "$1") && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null
}

java_with_kafka() {
  # shellcheck disable=SC2086 # the heap options are several words
  exec java $heap -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Dlog4j2.configurationFile="$here/log4j2.xml" -cp "$libs/*" "$@"
}

tool() { # class, arguments
  local class=$1
  shift
  [[ " $* " == *" --bootstrap-server "* ]] || set -- --bootstrap-server "$(bootstrap)" "$@"
  (heap=-Xmx64m && java_with_kafka "$class" "$@")
}

launch() { # id
  local id=$1
  runs "$id" && return
  [[ -e $run/conf/$id.properties ]] || die "there is no broker $id: start the cluster first"
  if [[ ! -e $run/data/$id/meta.properties ]]; then
    (java_with_kafka kafka.tools.StorageTool format -t "$cluster" -c "$run/conf/$id.properties" --ignore-formatted) \
      >"$run/log/$id.format" 2>&1 || die "formatting the storage of broker $id failed: $(tail -5 "$run/log/$id.format")"
  fi
  : >"$run/log/$id.server"
  (java_with_kafka kafka.Kafka "$run/conf/$id.properties") >>"$run/log/$id.server" 2>&1 </dev/null &
  echo $! >"$run/$id.pid"
  disown
}

await() { # id
  local id=$1 end=$((SECONDS + 120))
  until grep -q 'Kafka Server started' "$run/log/$id.server" && (exec 3<>"/dev/tcp/127.0.0.1/$(broker_port "$id")") 2>/dev/null; do
    runs "$id" || die "broker $id ended: $(tail -20 "$run/log/$id.server")"
    ((SECONDS < end)) || die "broker $id is not ready after two minutes: see $run/log/$id.server"
    sleep 0.2
  done
}

start() { # number of brokers
  local n=$1 have id
  [[ $n == 1 || $n == 3 ]] || die "a cluster has 1 or 3 brokers, not $n"
  have=$(brokers | wc -l)
  ((have == 0 || have == n)) || die "the data is of a cluster of $have: wipe it first"
  need_artifacts
  for ((id = 1; id <= n; id++)); do configure "$id" "$n"; done
  for ((id = 1; id <= n; id++)); do launch "$id"; done
  for ((id = 1; id <= n; id++)); do await "$id"; done
  bootstrap
}

stop() {
  local id
  for id in $(brokers); do if runs "$id"; then kill "$(pid_of "$id")"; fi; done
  for id in $(brokers); do
    for _ in $(seq 150); do
      runs "$id" || break
      sleep 0.1
    done
    if runs "$id"; then kill -9 "$(pid_of "$id")"; fi
    rm -f "$run/$id.pid"
  done
}

status() {
  local id
  for id in $(brokers); do
    if runs "$id"; then
      echo "broker $id: port $(broker_port "$id"), process $(pid_of "$id"), $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$(pid_of "$id")/status") MiB"
    else
      echo "broker $id: down"
    fi
  done
}

case ${1:-} in
  start) start "${2:-1}" ;;
  stop) stop ;;
  wipe) stop && rm -rf "$run/data" "$run/conf" "$run/log" ;;
  kill9) kill -9 "$(pid_of "${2:?which broker}")" && rm -f "$run/$2.pid" ;;
  pause) kill -STOP "$(pid_of "${2:?which broker}")" ;;
  resume) kill -CONT "$(pid_of "${2:?which broker}")" ;;
  one) launch "${2:?which broker}" && await "$2" ;;
  status) status ;;
  bootstrap) bootstrap ;;
  acl) shift && tool org.apache.kafka.tools.AclCommand "$@" ;;
  topic) shift && tool org.apache.kafka.tools.TopicCommand "$@" ;;
  *)
    usage
    exit 2
    ;;
esac
