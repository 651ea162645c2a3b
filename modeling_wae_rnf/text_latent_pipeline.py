"""`pipeline("text-latent")`: sentences in, their latents and what the decoder makes of them out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModel, BatchEncoding, Pipeline, PreTrainedTokenizerBase
from transformers.pipelines import PIPELINE_REGISTRY

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel


class TextLatentPipeline(Pipeline):
    """The posterior mean of each sentence, and its greedy reconstruction.

    Examples:
        >>> from transformers import pipeline
        >>> pipeline("text-latent", model="runs/toy")("the soup was cold .")  # doctest: +SKIP
        {'latents': [0.12, ...], 'reconstruction': 'the soup was cold .'}
    """

    model: "WaeRnfModel"
    tokenizer: PreTrainedTokenizerBase  # type: ignore[assignment]  # the base class knows slow ones alone
    _load_tokenizer = True  # type: ignore[assignment]  # the base class declares None

    def _sanitize_parameters(
        self, reconstruct: bool | None = None, **generate_kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Splits a call's options.

        Args:
            reconstruct: False leaves the reconstruction out.
            generate_kwargs: options of `generate`, for the reconstruction.
        """
        forward: dict[str, Any] = {"generate_kwargs": generate_kwargs} if generate_kwargs else {}
        if reconstruct is not None:
            forward["reconstruct"] = reconstruct
        return {}, forward, {}

    # nothing is passed on that `_sanitize_parameters` does not give
    def preprocess(self, sentence: str) -> BatchEncoding:  # type: ignore[override]
        return self.tokenizer(sentence, return_tensors="pt", truncation=True)

    def _forward(  # type: ignore[override]
        self,
        inputs: Mapping[str, torch.Tensor],
        reconstruct: bool = True,
        generate_kwargs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        batch = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        output: dict[str, Any] = {"latents": self.model.embed(**batch)}
        if reconstruct:
            output["sentences"] = self.model.reconstruct(batch, **(generate_kwargs or {}))
        return output

    def postprocess(self, output: Mapping[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        result: dict[str, Any] = {"latents": output["latents"][0].float().tolist()}
        if "sentences" in output:
            result["reconstruction"] = self.tokenizer.decode(output["sentences"][0], skip_special_tokens=True)
        return result


def register() -> None:
    """Makes the task known to `pipeline`."""
    PIPELINE_REGISTRY.register_pipeline(
        "text-latent", pipeline_class=TextLatentPipeline, pt_model=AutoModel, type="text"
    )
