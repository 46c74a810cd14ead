#!/usr/bin/env bash
# Creates the topics of Groundswell on a Kafka where it may not create them itself (`kafka.create_topics = false`).
#   deploy/topics.sh BOOTSTRAP                 creates what is missing
#   deploy/topics.sh --print [BOOTSTRAP]       only prints the commands
#   deploy/topics.sh --acls PRINCIPAL          prints the commands that grant a principal what Groundswell needs
# Environment:
#   PARTITIONS=4 REPLICATION=3 RETENTION_MS=-1 (source topics and events; -1 is for ever)
#   SOURCE=feedback OURS=groundswell           beginnings of the names, as in [topics.names]
#   KAFKA_TOPICS=kafka-topics.sh KAFKA_ACLS=kafka-acls.sh COMMAND_CONFIG=client.properties
set -euo pipefail
partitions=${PARTITIONS:-4} replication=${REPLICATION:-3} retention=${RETENTION_MS:--1}
source=${SOURCE:-feedback} ours=${OURS:-groundswell}
topics=${KAFKA_TOPICS:-kafka-topics.sh} acls=${KAFKA_ACLS:-kafka-acls.sh}
with=(); [[ -z ${COMMAND_CONFIG:-} ]] || with=(--command-config "$COMMAND_CONFIG")

# name partitions configuration…
definitions() {
  local name
  for name in tickets surveys usage; do echo "$source.$name $partitions cleanup.policy=delete retention.ms=$retention"; done
  # Read whole by every service at start, so it is kept for ever, on one partition, in order.
  echo "$source.catalogue 1 cleanup.policy=delete retention.ms=-1"
  echo "$ours.events $partitions cleanup.policy=delete retention.ms=$retention"
  # The index is rebuilt from it, so it is kept for ever.
  echo "$ours.insights $partitions cleanup.policy=delete retention.ms=-1"
  # State: the newest value of every key.
  echo "$ours.journal $partitions cleanup.policy=compact"
  echo "$ours.dead-letters $partitions cleanup.policy=delete retention.ms=-1"
}

create() {
  local run=$1 bootstrap=$2 name count settings setting line
  while read -r name count settings; do
    line=("$topics" "${with[@]}" --bootstrap-server "$bootstrap" --create --if-not-exists --topic "$name" --partitions "$count" --replication-factor "$replication")
    for setting in $settings; do line+=(--config "$setting"); done
    $run "${line[@]}"
  done < <(definitions)
}

grant() {
  local principal=$1 name
  for name in tickets surveys usage catalogue; do
    echo "$acls --bootstrap-server BOOTSTRAP --add --allow-principal '$principal' --topic '$source.$name' --operation Describe --operation DescribeConfigs --operation Read --operation Write"
  done
  echo "$acls --bootstrap-server BOOTSTRAP --add --allow-principal '$principal' --topic '$ours.' --resource-pattern-type prefixed --operation Describe --operation DescribeConfigs --operation Read --operation Write"
  echo "$acls --bootstrap-server BOOTSTRAP --add --allow-principal '$principal' --group '$ours' --resource-pattern-type prefixed --operation Describe --operation Read"
  echo "$acls --bootstrap-server BOOTSTRAP --add --allow-principal '$principal' --transactional-id '$ours' --resource-pattern-type prefixed --operation Describe --operation Write"
  echo "$acls --bootstrap-server BOOTSTRAP --add --allow-principal '$principal' --cluster --operation IdempotentWrite"
}

case ${1:-} in
  --print) create echo "${2:-BOOTSTRAP}" ;;
  --acls) grant "${2:?which principal? like User:groundswell}" ;;
  ""|-*) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  *) create "" "$1" ;;
esac
