"""The encoder as a module of sentence-transformers: sentences in, posterior means out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wae_rnf.evaluation.model_directory import load_model, save_model_directory

from .text_input import check_texts, encode, tell, unread


class LatentEmbedding(nn.Module):
    """The module of a `SentenceTransformer` that gives posterior means, (batch, latent_size).

    It has the interface that sentence-transformers asks of a first module, and needs nothing of it itself. With
    gradients, so that the encoder can be fine-tuned there.

    Args:
        name: a directory that `wae-rnf train` left, or a Hub name.

    Raises:
        ValueError: no model there, or a language model.

    Examples:
        >>> from sentence_transformers import SentenceTransformer  # doctest: +SKIP
        >>> encoder = SentenceTransformer(modules=[LatentEmbedding("runs/toy")])  # doctest: +SKIP
        >>> encoder.encode(["the soup was cold ."]).shape  # doctest: +SKIP
        (1, 32)
    """

    save_in_root = True  # its directory is a model directory too

    def __init__(self, name: str | Path) -> None:
        super().__init__()
        self.model, self.tokenizer = load_model(name)
        if not self.model.config.has_latents:
            raise ValueError("a language model has no latent variable: it encodes no sentence")

    def preprocess(self, inputs: Sequence[str], prompt: str | None = None, **_: object) -> dict[str, Tensor]:
        """Token ids of sentences, each with the prompt before it: {input_ids, attention_mask}, (batch, length)."""
        texts = [(prompt or "") + text for text in check_texts(inputs)]
        tell(unread(self.tokenizer, texts))
        return dict(encode(self.model, self.tokenizer, texts))

    def tokenize(self, texts: Sequence[str], **options: Any) -> dict[str, Tensor]:
        """`preprocess`, under its name in sentence-transformers 5 and before."""
        return self.preprocess(texts, **options)

    def forward(self, features: dict[str, Tensor], **_: object) -> dict[str, Tensor]:
        """Adds `sentence_embedding`, (batch, latent_size)."""
        batch = {name: features[name] for name in ("input_ids", "attention_mask")}
        return features | {"sentence_embedding": self.model.encode(**batch).mean}

    @property
    def max_seq_length(self) -> int:
        """The most tokens of a sentence, beginning and end included."""
        return self.tokenizer.model_max_length

    def get_embedding_dimension(self) -> int:
        """Numbers of an embedding: latent_size."""
        return self.model.config.latent_size

    def get_sentence_embedding_dimension(self) -> int:
        """`get_embedding_dimension`, under its name in sentence-transformers 5 and before."""
        return self.get_embedding_dimension()

    def save(self, output_path: str, *_: object, **__: object) -> None:
        """Writes a model directory."""
        save_model_directory(self.model, self.tokenizer, output_path)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **_: object) -> "LatentEmbedding":
        """Reads what `save` wrote, in a folder of a directory where it has a name."""
        return cls(Path(model_name_or_path, subfolder) if subfolder else model_name_or_path)
