#!/usr/bin/env python3
"""What Presidio's pattern recognisers find in the same rows, and how long they take.

    python3 -m venv venv && venv/bin/pip install presidio-analyzer
    venv/bin/python tests/redaction/presidio.py DATA_FOLDER > presidio.jsonl
    cargo run -p groundswell-text --example redaction_report -- --other presidio.jsonl

The recognisers run by themselves, without a language model and without context words, as they
stand in the package; the best of overlapping results of one kind is kept. Processor time goes to standard error.
"""
import json
import pathlib
import sys
import time

from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)

KINDS = {
    "CREDIT_CARD": "card",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "US_SSN": "national_id",
    "MAC_ADDRESS": "mac",
}
# Unit tests of the kinds that both know.
CASES = {"credit_card", "phone", "email", "iban", "ip", "us_ssn", "mac"}
TIMED_CHARACTERS = 600


def recognisers():
    return [
        CreditCardRecognizer(), PhoneRecognizer(), EmailRecognizer(), IbanRecognizer(), IpRecognizer(),
        UsSsnRecognizer(), MacAddressRecognizer(),
    ]


def analyse(found_by, text):
    results = []
    for recogniser in found_by:
        results += recogniser.analyze(text, recogniser.supported_entities, None) or []
    kept = []
    for r in sorted(results, key=lambda r: (-r.score, r.start - r.end)):
        if not any(k.entity_type == r.entity_type and k.start < r.end and r.start < k.end for k in kept):
            kept.append(r)
    return [{"kind": KINDS[r.entity_type], "start": r.start, "end": r.end} for r in sorted(kept, key=lambda r: r.start)]


def rows(data):
    def lines(path):
        with open(data / path, encoding="utf-8") as f:
            yield from map(json.loads, f)

    def name(value):
        return value if isinstance(value, str) else json.dumps(value)

    for row in lines("pii_presidio_research/synth_dataset_v2.jsonl"):
        yield "research:" + name(row["id"]), row["text"]
    for row in lines("pii_presidio_recognizer_cases/cases.jsonl"):
        if row["recognizer"] in CASES:
            yield "cases:" + name(row["id"]), row["text"]
    for path in ("so_webapi_issue_types/questions.jsonl", "gitbugs/hadoop_issues.jsonl"):
        for row in lines(path):
            yield path.split("/")[0] + ":" + name(row["id"]), (row["title"] or "") + "\n" + (row["body"] or "")


def main():
    data = pathlib.Path(sys.argv[1])
    found_by = recognisers()
    seconds = characters = 0
    for row, text in rows(data):
        start = time.process_time()
        spans = analyse(found_by, text)
        seconds += time.process_time() - start
        characters += len(text)
        print(json.dumps({"id": row, "spans": spans}))
    print(f"{1e6 * seconds / characters * TIMED_CHARACTERS:.0f} us for {TIMED_CHARACTERS} characters", file=sys.stderr)


if __name__ == "__main__":
    main()
