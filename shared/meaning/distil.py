#!/usr/bin/env python3
"""Makes words.gsw: vectors of words that add up to what a sentence encoder says of texts.

    python3 distil.py SETS MODEL.onnx TOKENIZER.json OUT [--cache FILE.npz] [--without SET,SET]

SETS is the folder of the public sets (docs/model-card.md names them), MODEL.onnx and TOKENIZER.json are
sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0). Needs numpy, scipy, onnxruntime, tokenizers and xxhash. Labels are
not read. The encoder's last digits differ between machines, so the file is kept in the repository; the cache keeps what
the encoder said, since that is nearly all of the time. --without leaves sets out, to measure on texts that were never seen.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import random
import re

import numpy as np
import onnxruntime
import xxhash
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer

SETS = {
    "nlbse24/train.jsonl": ("title", "body"),
    "app_reviews_maalej/reviews.jsonl": ("title", "text"),
    "senti4sd/train.jsonl": ("text",),
    "se_sentiment/github.jsonl": ("text",),
    "so_webapi_issue_types/questions.jsonl": ("title", "body"),
    "stackoverflow_titles_clustering/titles.jsonl": ("text",),
    "gitbugs/hadoop_issues.jsonl": ("title", "body"),
    "banking77/train.jsonl": ("text",),
    "clinc150/train.jsonl": ("text",),
    "bitext_customer_service/train.jsonl": ("text",),
    "promise_nfr/requirements.jsonl": ("text",),
    "app_review_feature_sentiment/sentences.jsonl": ("sentence",),
}
DIMENSIONS = 64
# A word that stands in this share of the texts counts half (smooth inverse frequency, Arora et al. 2017).
COMMON = 3e-3
# Pull of each word towards what the encoder says of it alone, in texts that have nothing else.
RIDGE = 1.0
ROUNDS = 40
# Texts of its own that a word needs where the encoder does not know it as one.
LEAST = 3
TOKEN = re.compile(r"[A-Za-z_\u00c0-\u024f][A-Za-z_'’\u00c0-\u024f]*|[0-9]+|\?+|!+")


def words(text):
    """As shared/text takes them apart: small letters, numbers as 0."""
    out = []
    for token in TOKEN.findall(text):
        if token[0].isdigit():
            out.append("0")
        elif token[0] in "?!":
            out.append(token[:2])
        else:
            out.append(token.lower().replace("’", "'").rstrip("'"))
    return out


def prose(text):
    text = re.sub(r"```.*?```", " ", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"https?://\S+", " url ", text)
    return re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)


def read(folder, without):
    """The texts, and their sentences of three to forty words that are mostly letters."""
    texts, sentences = [], []
    for name, fields in SETS.items():
        if name.split("/")[0] in without:
            continue
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts += [prose(row[field]) for field in fields if row.get(field)]
    for text in texts:
        for sentence in re.split(r"\n+|(?<=[.!?])\s+", text):
            said = words(sentence)
            if 3 <= len(said) <= 40 and sum(w.isalpha() for w in said) >= 0.7 * len(said):
                sentences.append(sentence.strip()[:300])
    return texts, list(dict.fromkeys(sentences))


class Teacher:
    """The encoder, and what it said before."""

    def __init__(self, model, tokenizer, cache):
        self.session = onnxruntime.InferenceSession(model)
        self.tokenizer = Tokenizer.from_file(tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(64)
        self.cache, self.known = cache, {}
        if cache and pathlib.Path(cache).exists():
            kept = np.load(cache, allow_pickle=False)
            self.known = dict(zip(kept["texts"].tolist(), kept["vectors"]))

    def whole_words(self):
        """Words that the encoder knows as one, in its order."""
        known = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
        return [word for word, _ in known if re.fullmatch("[a-z]{2,}", word)]

    def encode(self, texts):
        missing = [text for text in texts if text not in self.known]
        by_length = collections.defaultdict(list)
        for text, encoded in zip(missing, self.tokenizer.encode_batch(missing)):
            by_length[len(encoded.ids)].append((text, encoded.ids))
        for length, rows in sorted(by_length.items()):
            step = max(1, 4096 // length)
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                ids = np.array([ids for _, ids in part], np.int64)
                inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
                mean = self.session.run(None, inputs)[0].mean(1)
                mean /= np.linalg.norm(mean, axis=1, keepdims=True)
                self.known.update(zip((text for text, _ in part), mean))
        if missing and self.cache:
            np.savez(self.cache, texts=np.array(list(self.known)), vectors=np.stack(list(self.known.values())))
        return np.stack([self.known[text] for text in texts])


def fit(vocabulary, sentences, start, target):
    """Word vectors whose sums (over the root of their number) are nearest to the target, by conjugate gradients."""
    place = {word: at for at, word in enumerate(vocabulary)}
    rows, columns, values = [], [], []
    for at, sentence in enumerate(sentences):
        known = [place[word] for word in words(sentence) if word in place]
        rows += [at] * len(known)
        columns += known
        values += [max(1, len(known)) ** -0.5] * len(known)
    x = csr_matrix((values, (rows, columns)), shape=(len(sentences), len(vocabulary)), dtype=np.float32)
    said = x @ start
    start = start * ((said * target).sum() / (said * said).sum())
    rest = x.T @ (target - x @ start)
    step, found = rest.copy(), np.zeros_like(rest)
    square = (rest * rest).sum(0)
    for _ in range(ROUNDS):
        bent = x.T @ (x @ step) + RIDGE * step
        by = square / ((step * bent).sum(0) + 1e-12)
        found, rest = found + by * step, rest - by * bent
        now = (rest * rest).sum(0)
        step, square = rest + now / square * step, now
    vectors = start + found
    print("share of the encoder's variance that sums of words explain:", 1 - ((x @ vectors - target) ** 2).sum() / (target**2).sum())
    return vectors


def write(path, vocabulary, vectors):
    """Keys in their order, a step size for each row, and the rows in bytes."""
    rows = {}
    for word, vector in zip(vocabulary, vectors):
        key = xxhash.xxh3_64_intdigest(word.encode()) >> 32
        rows.setdefault(key, vector)
    keys = np.array(sorted(rows), np.uint32)
    table = np.stack([rows[key] for key in keys.tolist()]).astype(np.float32)
    steps = np.maximum(np.abs(table).max(1), 1e-9) / 127
    cells = np.rint(table / steps[:, None]).astype(np.int8)
    head = b"GSWORDS\x01" + np.array([len(keys), DIMENSIONS], "<u4").tobytes()
    body = keys.astype("<u4").tobytes() + steps.astype("<f4").tobytes() + cells.tobytes()
    pathlib.Path(path).write_bytes(head + body)
    print(len(keys), "words,", len(head + body), "bytes, SHA-256", hashlib.sha256(head + body).hexdigest())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("tokenizer")
    parser.add_argument("out")
    parser.add_argument("--cache")
    parser.add_argument("--without", default="")
    args = parser.parse_args()

    texts, sentences = read(args.sets, set(args.without.split(",")))
    counts = collections.Counter(word for text in texts for word in set(words(text)))
    teacher = Teacher(args.model, args.tokenizer, args.cache)
    own = [word for word, count in counts.items() if count >= LEAST]
    vocabulary = list(dict.fromkeys(teacher.whole_words() + own))
    random.Random(1).shuffle(sentences)
    said, alone = teacher.encode(sentences), teacher.encode(vocabulary)
    said, alone = said - said.mean(0), alone - alone.mean(0)
    # The directions in which texts differ most.
    _, directions = np.linalg.eigh(said.T @ said)
    leading = directions[:, ::-1][:, :DIMENSIONS]
    share = np.array([(counts[word] + 0.5) / len(texts) for word in vocabulary])
    start = (alone @ leading) * (COMMON / (COMMON + share))[:, None]
    write(args.out, vocabulary, fit(vocabulary, sentences, start, said @ leading))


if __name__ == "__main__":
    main()
