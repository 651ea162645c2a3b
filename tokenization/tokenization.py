"""What every tokenization has in common: text in, pieces out, and the backend that a tokenizer.json holds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

from .text_kind import warn_of_long_words
from .vocabulary import UNK, build_vocabulary, count_words

__all__ = ["NO_TEXT", "Tokenization", "WordTokenization"]

NO_TEXT = "the train split has no words"


class Tokenization(ABC):
    """A way from text to tokens and back.

    A new one is a file with a subclass, and a row in :mod:`wae_rnf.tokenization.tokenizations`.

    Attributes:
        lowercase: whether text is lower-cased where nobody says otherwise.
        unit: what messages call its tokens.
    """

    lowercase = False
    unit = "tokens"

    @abstractmethod
    def train(
        self, texts: Iterable[str], max_size: int, max_tokens: int, lowercase: bool, max_entries: int | None = None
    ) -> Tokenizer:
        """Make the backend of texts, which are read once, one at a time.

        Args:
            texts: of the training split.
            max_size: greatest size of the vocabulary, the four special tokens included, which have the ids 0 to 3.
            max_tokens: greatest number of tokens of a sentence; white-space words beyond are not read.
            lowercase: whether text is lower-cased.
            max_entries: different tokens that are counted for certain, see
                :func:`~wae_rnf.tokenization.vocabulary.count_words`; None for all of them.

        Raises:
            ValueError: there is no text, or ``max_size`` leaves no room.
        """


class WordTokenization(Tokenization):
    """A tokenization whose vocabulary is the most frequent pieces that the text is split into."""

    @abstractmethod
    def normalizer(self, lowercase: bool) -> normalizers.Normalizer:
        """What is done to a text before it is split."""

    @abstractmethod
    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        """What splits it."""

    def decoder(self) -> decoders.Decoder | None:
        """What makes text of tokens; None joins them by one space."""
        return None

    def splitter(self, lowercase: bool) -> Callable[[str, int | None], list[str]]:
        """A function of a text and a number: the first so many pieces (all if None), as they are in the vocabulary."""
        normalizer, pre_tokenizer = self.normalizer(lowercase), self.pre_tokenizer()

        def split(text: str, most: int | None = None) -> list[str]:
            pieces = pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))
            return [piece for piece, _ in pieces[:most]]

        return split

    def backend(self, vocabulary: dict[str, int], lowercase: bool) -> Tokenizer:
        """The backend of a vocabulary; a piece that it lacks becomes ``<unk>``."""
        backend = Tokenizer(WordLevel(vocabulary, unk_token=UNK))
        backend.normalizer = self.normalizer(lowercase)
        backend.pre_tokenizer = self.pre_tokenizer()
        backend.decoder = self.decoder()
        return backend

    def train(
        self, texts: Iterable[str], max_size: int, max_tokens: int, lowercase: bool, max_entries: int | None = None
    ) -> Tokenizer:
        counts = count_words(texts, max_tokens, max_entries, self.splitter(lowercase))
        if not counts:
            raise ValueError(NO_TEXT)
        warn_of_long_words(counts)
        return self.backend(build_vocabulary(counts, max_size), lowercase)
