"""Posterior means as features: a linear classifier of the topics of generated sentences.

python examples/sentence_features.py runs/toy
"""

import random
import sys
from collections import Counter
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

import wae_rnf  # noqa: F401
from wae_rnf.tokenization.toy.grammar import ToyGrammar

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/sentence_features.py DIRECTORY, which holds a model that wae-rnf train has made")
directory = sys.argv[1]
model = AutoModel.from_pretrained(directory).eval()
tokenizer = AutoTokenizer.from_pretrained(directory)

grammar, rng = ToyGrammar(), random.Random(0)
sentences, attributes = zip(*(grammar.sample_with_attributes(rng) for _ in range(1000)), strict=True)
topics = [values["topic"] for values in attributes]
features = model.embed(**tokenizer(list(sentences), return_tensors="pt", padding=True)).numpy()

classifier = LogisticRegression(max_iter=1000).fit(features[:700], topics[:700])
accuracy = classifier.score(features[700:], topics[700:])
commonest = Counter(topics[700:]).most_common(1)[0][1] / 300
print(f"topics: {', '.join(sorted(set(topics)))}")
print(f"accuracy {accuracy:.2f}; always the commonest topic: {commonest:.2f}")
