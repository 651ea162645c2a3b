"""Corpora: a name, a Hub repository or a folder of text files becomes three splits of sentences.

Every corpus comes as a ``DatasetDict`` of train, validation and test with the column ``text``, kept in Arrow
files on disk: memory does not grow with the corpus, and a second run reads what the first one wrote.
"""

from pathlib import Path

from datasets import DatasetDict

from .corpus_names import kind_of_corpus
from .hub_corpora import HUB_CORPORA, HubCorpus, load_from_hub
from .text_folder import load_folder
from .toy.corpus import load_toy

__all__ = ["load_corpus"]

TOY = "toy"


def load_corpus(
    name: str | Path, *, seed: int = 0, cache_dir: str | Path | None = None, streaming: bool = False
) -> DatasetDict:
    """Load a corpus as the splits train, validation and test with the column ``text``.

    Sentences keep their length here; :func:`~wae_rnf.tokenization.preparation.prepare` truncates them. Blank
    ones are left out. What is left out, or read otherwise than it looks, is counted and logged as a warning.

    Args:
        name: one of

            - ``"toy"``: generated sentences, with the column ``log_prob``, their exact log-probability in
              nats;
            - ``"ptb"``, ``"yelp"``, ``"yahoo"``: the Hub's Penn Treebank, Yelp reviews, Yahoo answers;
            - an existing folder with train.txt, valid.txt (or validation.txt, dev.txt) and test.txt, UTF-8,
              one sentence a line; a `Path`, or ``"./toy"``, is always a folder;
            - any ``user/name`` of the Hub; its text column is the one named text or sentence, or else its
              only column of strings. Without a validation split, the last tenth of train, at most 10,000
              rows, becomes one. That holds for yelp and yahoo.
        seed: of the generated corpus; the others do not depend on it.
        cache_dir: where the Arrow files lie; None for the usual cache of datasets.
        streaming: the training split is a :class:`~wae_rnf.tokenization.streams.TextStream`, read anew in each
            pass; a Hub corpus without a validation split gives its first 10,000 rows for it.

    Raises:
        ValueError: if the name is unknown or means two corpora, a split or file is missing, empty, blank or not
            UTF-8, or the text column cannot be told.
        ConnectionError: if the Hub cannot be reached.
    """
    kind, known = kind_of_corpus(name), str(name)
    cache_dir = None if cache_dir is None else str(cache_dir)
    if kind == "folder":
        return load_folder(Path(name), cache_dir, streaming)
    if known == TOY:
        return load_toy(seed, cache_dir, streaming)
    return load_from_hub(HUB_CORPORA.get(known) or HubCorpus(known), cache_dir, streaming)
