"""Batches for the authors' code, whose own loader needs a library that today's torch has outlived."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import torch

SPECIAL = {"UNK_TOKEN": "<unk>", "PAD_TOKEN": "<pad>", "SOS_TOKEN": "<sos>", "EOS_TOKEN": "<eos>"}
POOL = 100  # batches that are sorted by length together


def lines_of(path: Path) -> list[str]:
    """The lines of a file of text."""
    return path.read_text(encoding="utf-8").splitlines()


def sentences_of(lines: Sequence[str]) -> list[list[str]]:
    """The words of each line that has any."""
    return [words for words in map(str.split, lines) if words]


class Batches:
    """Batches of one split: random ones of nearly one length, the longest sentence first.

    Args:
        sentences: lists of token ids.
        batch_size: sentences of a batch.
    """

    def __init__(self, sentences: list[list[int]], batch_size: int) -> None:
        self.sentences, self.batch_size = sentences, batch_size

    def init_epoch(self) -> None:
        """A loader's preparation, of which this one needs none."""

    def data(self) -> list[list[int]]:
        """All sentences."""
        return self.sentences

    def __iter__(self) -> Iterator[SimpleNamespace]:
        """Yields batches with `.text`, (ids, lengths) of padded rows."""
        order = random.sample(self.sentences, len(self.sentences))
        size = self.batch_size
        for start in range(0, len(order), POOL * size):
            pool = sorted(order[start : start + POOL * size], key=len, reverse=True)
            parts = [pool[first : first + size] for first in range(0, len(pool), size)]
            for rows in random.sample(parts, len(parts)):
                ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
                yield SimpleNamespace(text=(ids, torch.tensor([len(row) for row in rows])))


def authors_data(corpus: Path, batch_size: int) -> ModuleType:
    """The module `data` of the authors' code.

    Args:
        corpus: folder of train.txt, valid.txt and test.txt.
        batch_size: sentences of a batch.
    """
    splits = {name: sentences_of(lines_of(corpus / f"{name}.txt")) for name in ("train", "valid", "test")}
    counts = Counter(word for name in ("train", "valid") for words in splits[name] for word in words)
    frequent = [word for word, count in counts.most_common(20_000) if count > 1 and word not in SPECIAL.values()]
    ids = {word: number for number, word in enumerate(["<pad>", "<unk>", "<sos>", "<eos>", *frequent])}

    def read(name: str) -> Batches:
        rows = [[ids["<sos>"], *(ids.get(word, 1) for word in words), ids["<eos>"]] for words in splits[name]]
        return Batches(rows, batch_size)

    module = ModuleType("data")
    found = {"word2idx": ids, "idx2word": list(ids)} | {name: read(name) for name in splits}
    contents = {"Corpus": lambda *_, **__: SimpleNamespace(**found), "get_iterator": lambda split, *_: split}
    for name, value in (SPECIAL | contents).items():
        setattr(module, name, value)
    return module
