"""The tokenizer: one id for each white-space word, as a plain Hugging Face tokenizer.

It needs no code of ours once it is saved: ``AutoTokenizer.from_pretrained(folder)`` reads it.
"""

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from tokenization_wae_rnf.vocabulary import BOS, EOS, PAD, SPECIAL_TOKENS, UNK

__all__ = ["build_tokenizer"]

# What `str.split` calls white space: the regular expressions' \s lacks the four ASCII separators.
WHITE_SPACE = r"\s\x1c-\x1f"
LITERAL_SPECIAL = rf"(?<![^{WHITE_SPACE}])(?:{PAD}|{BOS}|{EOS})(?![^{WHITE_SPACE}])"


def build_tokenizer(vocabulary: dict[str, int], max_words: int = 200) -> PreTrainedTokenizerFast:
    """Build the tokenizer of a vocabulary: text becomes ``<bos> word ... word <eos>``.

    - Text is lower-cased and split on white space only, exactly as
      :func:`~tokenization_wae_rnf.vocabulary.split_words` does.
    - A word outside the vocabulary becomes ``<unk>``; so does a literal ``<pad>``, ``<bos>`` or ``<eos>`` in
      the text, which can therefore never end or pad a sentence.
    - ``decode(ids, skip_special_tokens=True)`` drops padding, ``<bos>`` and ``<eos>``, keeps ``<unk>``, and
      joins the words by one space.
    - ``tokenizer(text, truncation=True)`` keeps ``max_words`` words; ``<eos>`` stays last.

    ``<unk>`` is no special token of the Hugging Face tokenizer, whose special tokens all vanish from decoded
    text; hence ``tokenizer.unk_token_id`` is None and ``tokenizer.convert_tokens_to_ids("<unk>")`` is 3.

    Args:
        vocabulary: ids of the words, as :func:`~tokenization_wae_rnf.vocabulary.build_vocabulary` numbers
            them.
        max_words: greatest number of words of a sentence; ``model_max_length`` is two more.

    Raises:
        ValueError: if the ids are not contiguous, if the special tokens are not ids 0 to 3, or if
            ``max_words`` is under 1.

    Example:
        >>> vocabulary = {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "cats": 4, "purr": 5}
        >>> tokenizer = build_tokenizer(vocabulary)
        >>> ids = tokenizer("Cats never purr")["input_ids"]
        >>> ids
        [1, 4, 3, 5, 2]
        >>> tokenizer.decode(ids, skip_special_tokens=True)
        'cats <unk> purr'
    """
    check_vocabulary(vocabulary)
    if max_words < 1:
        raise ValueError(f"max_words={max_words} leaves no room for a word: choose at least 1")
    backend = Tokenizer(WordLevel(vocabulary, unk_token=UNK))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex(LITERAL_SPECIAL), UNK)]
    )
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(f"[{WHITE_SPACE}]+"), behavior="removed")
    backend.post_processor = TemplateProcessing(
        single=f"{BOS} $A {EOS}", special_tokens=[(BOS, vocabulary[BOS]), (EOS, vocabulary[EOS])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,  # no unk_token: the library would make it special, and drop it when decoding
        split_special_tokens=True,  # literal special tokens reach the normalizer instead of being matched
        model_max_length=max_words + 2,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def check_vocabulary(vocabulary: dict[str, int]) -> None:
    """Raise ValueError unless the special tokens have ids 0 to 3 and the ids have no hole."""
    if any(vocabulary.get(token) != token_id for token_id, token in enumerate(SPECIAL_TOKENS)):
        raise ValueError(f"the vocabulary must start with {', '.join(SPECIAL_TOKENS)} as the ids 0 to 3")
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError(f"the ids of the vocabulary must be 0 to {len(vocabulary) - 1}, each used once")
