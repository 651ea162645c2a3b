"""Programs that `text` times from their start: the data alone, since importing a model takes seconds."""

import sys
import time

from wae_rnf.tokenization.batching import length_grouped_batches, lengths_of, load_batches
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare as to_ids
from wae_rnf.tokenization.preparation import train_tokenizer


def prepare(folder: str) -> None:
    """Prints the seconds that vocabulary and token ids take; loading the text file is not counted."""
    corpus = load_corpus(folder)
    start = time.perf_counter()
    to_ids(corpus, train_tokenizer(corpus))
    print(time.perf_counter() - start)


def first_batch(folder: str) -> None:
    """Does what training does until it has a batch, and prints the time of day."""
    corpus = load_corpus(folder)
    tokenizer = train_tokenizer(corpus)
    train = to_ids(corpus, tokenizer)["train"]
    batches = length_grouped_batches(lengths_of(train), batch_size=32, pool=1, seed=0, epoch=0)
    next(load_batches(train, batches, tokenizer.pad_token_id, "cpu"))
    print(time.time())


if __name__ == "__main__":
    {"prepare": prepare, "first_batch": first_batch}[sys.argv[1]](sys.argv[2])
