"""A tuned pipeline of the usual kind, to compare with: Kafka -> Python -> OpenSearch.

It does the job that a team would write in an afternoon with good libraries, and with the usual tricks: batches from
confluent-kafka, orjson, feature hashing with a linear model over batches of texts, hand-made `_bulk` bodies sent by a
few threads while the next batch is read. Every event, usage too, becomes a document in one index per API version.
It validates what it needs, counts an event once, and commits its offsets after OpenSearch has taken the documents.
It leaves out what Groundswell does beside: redaction, identities, milestones, exactly-once counts after a crash.

Prints one JSON object: events, documents, duplicates, rejected, seconds, cpu_seconds, peak_rss_mib. Time and CPU
count from the first poll to the moment when everything is searchable; training and imports are not counted.
"""

import argparse
import json
import resource
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import orjson
import urllib3
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from peer_model import train

TYPES = {"groundswell.ticket.v1", "groundswell.survey.v1", "groundswell.usage.v1"}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
# Usage is remembered for two generations of this many ids, feedback for ever.
GENERATION = 1_000_000
# Bulk requests that may be on their way; more would only wait in OpenSearch.
SENDERS = 3
MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
    "mappings": {
        "dynamic": False,
        "properties": {
            "time": {"type": "date"},
            **{name: {"type": "keyword"} for name in ("kind", "api", "version", "consumer", "method", "sdk", "label", "priority", "survey")},
            # Nearly every path is different: searched for, never counted by.
            "path": {"type": "keyword", "doc_values": False},
            "status": {"type": "short"},
            "failed": {"type": "boolean"},
            "latency_ms": {"type": "float"},
            "score": {"type": "float"},
            "confidence": {"type": "half_float"},
            "title": {"type": "text"},
            "body": {"type": "text"},
        },
    },
}


class Rejected(Exception):
    """The event can't be used."""


class Seen:
    """Counts every identity once."""

    def __init__(self):
        self.feedback, self.new, self.old = set(), set(), set()

    def before(self, kind, source, ident):
        key = hash((source, ident))
        if kind != "usage":
            if key in self.feedback:
                return True
            self.feedback.add(key)
            return False
        if key in self.new or key in self.old:
            return True
        self.new.add(key)
        if len(self.new) >= GENERATION:
            self.old, self.new = self.new, set()
        return False


def need(condition, why):
    if not condition:
        raise Rejected(why)


def document(event):
    """Index, id and document of an event, or Rejected."""
    kind = event.get("type")
    source, ident, when, data = event.get("source"), event.get("id"), event.get("time"), event.get("data")
    need(event.get("specversion") == "1.0" and kind in TYPES and source and ident and isinstance(data, dict), "not a CloudEvent of ours")
    need(isinstance(when, str) and len(when) >= 20, "time")
    datetime.fromisoformat(when)
    api = data.get("api") or "unknown"
    version = data.get("api_version")
    doc = {"time": when, "api": api, "consumer": data.get("consumer")}
    if kind == "groundswell.usage.v1":
        status, path = data.get("status"), data.get("path", "")
        need(isinstance(status, int) and 100 <= status <= 599, "status")
        if version is None:
            first = path.split("/", 2)[1] if path.startswith("/") else ""
            version = first if first[:1] == "v" and first[1:].isdigit() else None
        doc.update(kind="usage", method=data.get("method"), path=path, status=status, failed=status >= 400, latency_ms=data.get("latency_ms"), sdk=data.get("sdk"))
    elif kind == "groundswell.ticket.v1":
        title, body = data.get("title", ""), data.get("body", "")
        need(title or body, "text")
        doc.update(kind="ticket", title=title, body=body, priority=data.get("priority"))
    else:
        survey, score = data.get("kind"), data.get("score")
        low, high = SCALES.get(survey, (data.get("min"), data.get("max")))
        need(low is not None and high is not None and isinstance(score, (int, float)) and low <= score <= high, "score")
        doc.update(kind="survey", survey=survey, score=score, body=data.get("comment", ""))
    doc["version"] = version or "unknown"
    return f"insights-{api}-{doc['version']}".lower(), f"{source} {ident}", doc


class Sink:
    """Sends bulk requests from a few threads; `settle` waits for them."""

    def __init__(self, url):
        self.url = url
        self.http = urllib3.PoolManager(maxsize=SENDERS, retries=urllib3.Retry(3, backoff_factor=0.2), timeout=120)
        self.threads = ThreadPoolExecutor(SENDERS)
        self.flying = deque()

    def ask(self, method, path, body=None, content="application/json"):
        answer = self.http.request(method, self.url + path, body=body, headers={"content-type": content})
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:500]!r}")
        return answer.data

    def prepare(self):
        self.ask("PUT", "/_index_template/insights", orjson.dumps({"index_patterns": ["insights-*"], "template": MAPPING}))

    def bulk(self, body):
        # Only whether something failed is read: the answer is as long as the request.
        answer = self.ask("POST", "/_bulk?filter_path=errors,items.*.error", body, "application/x-ndjson")
        if b'"errors":true' in answer:
            raise RuntimeError(f"documents were refused: {answer[:500]!r}")

    def send(self, body, then):
        while len(self.flying) >= SENDERS:
            self.settle_one()
        self.flying.append((self.threads.submit(self.bulk, body), then))

    def settle_one(self):
        future, then = self.flying.popleft()
        future.result()
        then()

    def settle(self):
        while self.flying:
            self.settle_one()


def bulk_body(messages, seen, model, counts):
    """The bulk request of a batch of records, its texts labelled."""
    rows, texts, labelled = [], [], []
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
        counts["events"] += 1
        try:
            event = orjson.loads(message.value())
            index, ident, doc = document(event)
        except (Rejected, ValueError, AttributeError):
            counts["rejected"] += 1
            continue
        if seen.before(doc["kind"], event["source"], event["id"]):
            counts["duplicates"] += 1
            continue
        text = f"{doc.get('title', '')} {doc.get('body', '')}".strip()
        if text:
            texts.append(text)
            labelled.append(doc)
        rows.append((index, ident, doc))
    if texts:
        for doc, (label, confidence) in zip(labelled, model(texts)):
            doc["label"], doc["confidence"] = label, confidence
    parts = []
    for index, ident, doc in rows:
        parts.append(orjson.dumps({"index": {"_index": index, "_id": ident}}))
        parts.append(orjson.dumps(doc))
    counts["documents"] += len(rows)
    return b"\n".join(parts) + b"\n" if rows else b""


def consumer_of(arguments):
    return Consumer({
        "bootstrap.servers": arguments.bootstrap,
        "group.id": arguments.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "fetch.min.bytes": 65536,
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 65536,
    })


def partitions_of(consumer, topics):
    """Every partition from its beginning: assigned, not subscribed, so that no time goes into joining a group."""
    known = consumer.list_topics(timeout=30).topics
    missing = [topic for topic in topics if topic not in known or known[topic].error]
    if missing:
        sys.exit(f"peer: there is no topic {', '.join(missing)}")
    return [TopicPartition(topic, p, OFFSET_BEGINNING) for topic in topics for p in known[topic].partitions]


def run(arguments):
    model = train()
    sink = Sink(arguments.opensearch)
    sink.prepare()
    consumer = consumer_of(arguments)
    consumer.assign(partitions_of(consumer, arguments.topics.split(",")))
    seen, counts = Seen(), {"events": 0, "documents": 0, "duplicates": 0, "rejected": 0}
    began, cpu, last = time.perf_counter(), time.process_time(), time.perf_counter()
    while counts["events"] < arguments.expect:
        messages = consumer.consume(arguments.batch, timeout=0.2)
        if not messages:
            if time.perf_counter() - last > arguments.patience:
                sys.exit(f"peer: only {counts['events']} of {arguments.expect} events came")
            continue
        last = time.perf_counter()
        ends = {(m.topic(), m.partition()): m.offset() + 1 for m in messages if not m.error()}
        offsets = [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()]
        body = bulk_body(messages, seen, model, counts)
        if body:
            sink.send(body, lambda offsets=offsets: consumer.commit(offsets=offsets, asynchronous=True))
    sink.settle()
    sink.ask("POST", "/insights-*/_refresh")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    found = orjson.loads(sink.ask("GET", "/insights-*/_count"))["count"]
    consumer.close()
    if found != counts["documents"]:
        sys.exit(f"peer: {found} documents are searchable, {counts['documents']} were sent")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**counts, "seconds": seconds, "cpu_seconds": cpu, "peak_rss_mib": peak}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="127.0.0.1:19092", help="address of a Kafka broker")
    parser.add_argument("--topics", default="feedback.tickets,feedback.surveys,feedback.usage", help="source topics, with commas between")
    parser.add_argument("--opensearch", default="http://127.0.0.1:19200", help="address of OpenSearch; indices insights-* must not exist")
    parser.add_argument("--expect", type=int, required=True, help="number of records to read, then end")
    parser.add_argument("--batch", type=int, default=10000, help="records of one bulk request")
    parser.add_argument("--group", default="peer", help="consumer group for the committed offsets")
    parser.add_argument("--patience", type=float, default=60, help="seconds without a record after which it gives up")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
