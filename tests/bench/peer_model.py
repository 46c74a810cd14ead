"""A small text model for the peer: hashed words and word pairs, a linear model, trained on made-up sentences."""

import random

from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

SUBJECTS = ["the refund call", "paging", "our webhook", "the login", "the upload", "the price list", "the label", "the SDK", "the search", "the export"]
TEMPLATES = {
    "bug": [
        "{s} fails with 500 since the update", "{s} returns an error every few minutes", "{s} is broken and throws an exception",
        "timeout in {s}, requests hang", "{s} crashes with a null pointer", "wrong result from {s}, data is missing",
    ],
    "feature_request": [
        "please add a batch version of {s}", "it would be great if {s} supported filters", "feature request: {s} as CSV",
        "we would like an option to sort {s}", "could you support bulk operations for {s}", "wish: let us configure {s}",
    ],
    "question": [
        "how do I use {s}?", "which fields does {s} need?", "what happens when {s} is called twice?",
        "where is the documentation of {s}?", "is {s} safe to retry?", "can we call {s} from two regions?",
    ],
    "complaint": [
        "{s} is far too slow and support does not answer", "I am tired of {s}", "the limits of {s} are too low for what we pay",
        "third ticket about {s}, still nothing", "{s} costs us hours every week", "very disappointed with {s}",
    ],
    "praise": [
        "{s} works great, thank you", "love how fast {s} is now", "excellent docs for {s}",
        "the upgrade of {s} was painless", "best API we use, {s} is stable", "happy with {s}, keep it up",
    ],
    "other": [
        "I am out of the office until Monday", "please send the invoice again", "can we meet next week about {s}",
        "remove me from the newsletter", "this is only a test", "job application",
    ],
}


def train(examples=3000, seed=1):
    """A function from texts to labels with their confidence."""
    chance = random.Random(seed)
    texts, labels = [], []
    for _ in range(examples):
        label = chance.choice(list(TEMPLATES))
        sentences = [chance.choice(TEMPLATES[label]).format(s=chance.choice(SUBJECTS)) for _ in range(chance.randint(1, 3))]
        texts.append(" ".join(sentences))
        labels.append(label)
    words = HashingVectorizer(n_features=2**18, ngram_range=(1, 2), alternate_sign=False)
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=20, random_state=seed)
    model.fit(words.transform(texts), labels)
    names = list(model.classes_)

    def label(texts):
        chances = model.predict_proba(words.transform(texts))
        return [(names[i], float(row[i])) for row, i in zip(chances, chances.argmax(axis=1))]

    return label
