"""The tokenizer of any tokenization, as a Hugging Face tokenizer.

It needs no code of ours once it is saved: ``AutoTokenizer.from_pretrained(folder)`` reads it, without this package as
the library's own class, which encodes and decodes the same.
"""

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from .tokenization import WordTokenization
from .tokenizations import TokenizationChoice, find_tokenization
from .vocabulary import BOS, EOS, PAD, SPECIAL_TOKENS

__all__ = ["WaeRnfTokenizer", "build_tokenizer", "tokenization_of", "wrap_backend"]


class WaeRnfTokenizer(PreTrainedTokenizerFast):
    """What :func:`build_tokenizer` makes: the library's tokenizer, less what would go wrong in silence."""

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str | list[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: list | None = None,
        special_tokens_map: dict | None = None,
        **kwargs: Any,
    ) -> "WaeRnfTokenizer":
        """Build the tokenizer of other texts, with this one's tokenization and limit.

        Args:
            text_iterator: texts, or lists of them.
            vocab_size: greatest size of the vocabulary, the four special tokens included.
            length: is not needed.

        Raises:
            ValueError: special tokens that are new or renamed, or other options of a trainer.
        """
        if new_special_tokens or special_tokens_map or kwargs:
            options = ["new_special_tokens"] * bool(new_special_tokens)
            options += ["special_tokens_map"] * bool(special_tokens_map)
            raise ValueError(
                f"{', '.join([*options, *kwargs])} cannot be chosen: the special tokens are always "
                f"{', '.join(SPECIAL_TOKENS)}, and the words the most frequent ones"
            )
        max_words, choice = self.model_max_length - 2, tokenization_of(self)
        texts = (text for part in text_iterator for text in ([part] if isinstance(part, str) else part))
        backend = find_tokenization(choice.tokenization).train(texts, vocab_size, max_words, choice.lowercase)
        return wrap_backend(backend, max_words, choice)

    def _add_tokens(self, new_tokens: list[Any], special_tokens: bool = False) -> int:
        """Add tokens, but refuse such special ones as a text could never give.

        Raises:
            ValueError: a new special token that is not the padding, beginning or end, while ``split_special_tokens``.
        """
        ends = {self.pad_token, self.bos_token, self.eos_token}
        special = [str(token) for token in new_tokens if special_tokens or getattr(token, "special", False)]
        lost = [token for token in special if token not in ends and self._tokenizer.token_to_id(token) is None]  # type: ignore[attr-defined]
        if lost and self.split_special_tokens:
            raise ValueError(
                f"{', '.join(lost)} would never be found, since special tokens in a text are read as words: set "
                "split_special_tokens = False before, or leave out special_tokens=True"
            )
        return super()._add_tokens(new_tokens, special_tokens=special_tokens)


def build_tokenizer(
    vocabulary: dict[str, int], max_words: int = 200, tokenization: str = "words", lowercase: bool | None = None
) -> WaeRnfTokenizer:
    """Build the tokenizer of a vocabulary: text becomes ``<bos> token ... token <eos>``.

    - Text is split by the tokenization; by default it is lower-cased and split on white space only.
    - A word outside the vocabulary becomes ``<unk>``; so does a literal ``<pad>``, ``<bos>`` or ``<eos>`` in
      the text, which can therefore never end or pad a sentence.
    - ``decode(ids, skip_special_tokens=True)`` drops padding, ``<bos>`` and ``<eos>``, keeps ``<unk>``, and
      makes text of the tokens.
    - ``tokenizer(text, truncation=True)`` keeps ``max_words`` tokens; ``<eos>`` stays last.
    - ``tokenizer(text, text_pair)`` gives both sentences, each in its ``<bos>`` and ``<eos>``.

    ``<unk>`` is no special token of the Hugging Face tokenizer, whose special tokens all vanish from decoded
    text; hence ``tokenizer.unk_token_id`` is None and ``tokenizer.convert_tokens_to_ids("<unk>")`` is 3.

    Args:
        vocabulary: ids of the words, as :func:`~wae_rnf.tokenization.vocabulary.build_vocabulary` numbers
            them.
        max_words: greatest number of tokens of a sentence; ``model_max_length`` is two more.
        tokenization: words or punctuation; of ``bpe`` no vocabulary alone makes a tokenizer.
        lowercase: whether text is lower-cased; None for the tokenization's own default, for words true.

    Raises:
        ValueError: if the ids are not contiguous, if the special tokens are not ids 0 to 3, if ``max_words`` is
            under 1, or if a tokenization has more than a vocabulary.

    Examples:
        >>> vocabulary = {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "cats": 4, "purr": 5}
        >>> tokenizer = build_tokenizer(vocabulary)
        >>> ids = tokenizer("Cats never purr")["input_ids"]
        >>> ids
        [1, 4, 3, 5, 2]
        >>> tokenizer.decode(ids, skip_special_tokens=True)
        'cats <unk> purr'
    """
    check_vocabulary(vocabulary)
    row, choice = find_tokenization(tokenization), TokenizationChoice.of(tokenization, lowercase)
    if not isinstance(row, WordTokenization):
        raise ValueError(f"a vocabulary is not all of the tokenization {tokenization}: use train_tokenizer")
    return wrap_backend(row.backend(vocabulary, choice.lowercase), max_words, choice)


def wrap_backend(backend: Tokenizer, max_words: int, choice: TokenizationChoice) -> WaeRnfTokenizer:
    """The Hugging Face tokenizer of a backend, whose special tokens have the ids 0 to 3; it remembers the choice.

    Raises:
        ValueError: ``max_words`` under 1.
    """
    if max_words < 1:
        raise ValueError(f"max_words={max_words} leaves no room for a word: choose at least 1")
    backend.post_processor = TemplateProcessing(
        single=f"{BOS} $A {EOS}",
        pair=f"{BOS} $A {EOS} {BOS}:1 $B:1 {EOS}:1",
        special_tokens=[(token, SPECIAL_TOKENS.index(token)) for token in (BOS, EOS)],
    )
    return WaeRnfTokenizer(
        tokenizer_object=backend,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,  # no unk_token: the library would make it special, and drop it when decoding
        split_special_tokens=True,  # literal special tokens in a text are read as text
        model_max_length=max_words + 2,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        **choice._asdict(),
    )


def tokenization_of(tokenizer: PreTrainedTokenizerFast) -> TokenizationChoice:
    """The tokenization of a tokenizer, new or reloaded; one from before there was a choice has lower-case words."""
    saved = tokenizer.init_kwargs
    return TokenizationChoice(saved.get("tokenization", "words"), saved.get("lowercase", True))


def check_vocabulary(vocabulary: dict[str, int]) -> None:
    """Raise ValueError unless the special tokens have ids 0 to 3 and the ids have no hole."""
    if any(vocabulary.get(token) != token_id for token_id, token in enumerate(SPECIAL_TOKENS)):
        raise ValueError(f"the vocabulary must start with {', '.join(SPECIAL_TOKENS)} as the ids 0 to 3")
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError(f"the ids of the vocabulary must be 0 to {len(vocabulary) - 1}, each used once")
