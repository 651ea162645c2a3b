"""Transformers' hooks that `generate` goes through: which loop writes the words, and when a sentence ends."""

from typing import TYPE_CHECKING, Any, NoReturn

import torch
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer
from transformers.generation.utils import GenerateBeamOutput, GenerateNonBeamOutput

from .recurrent_cache import CACHE_NAME
from .sampling_loop import draw_words, suits_draw_words
from .stop_strings import StopStrings

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel


class GenerationLoops(GenerationMixin):
    """Transformers' generation modes for our decoders: our own loop where it gives what theirs gives."""

    def _sample(
        self: "WaeRnfModel",
        input_ids: torch.LongTensor,
        logits_processor: LogitsProcessorList,
        stopping_criteria: StoppingCriteriaList,
        generation_config: GenerationConfig,
        synced_gpus: bool = False,
        streamer: BaseStreamer | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        assistant_tokenizer: PreTrainedTokenizerBase | None = None,
        **model_kwargs: Any,
    ) -> GenerateNonBeamOutput | torch.LongTensor:
        # Transformers calls this for greedy decoding and sampling, and would hand tokenizers on to `forward`
        how = (logits_processor, stopping_criteria, generation_config)
        if streamer is None and not synced_gpus and suits_draw_words(*how, model_kwargs):
            return draw_words(self, input_ids, *how, **model_kwargs)  # type: ignore[return-value]  # ids are long
        model_kwargs = self._with_cache(model_kwargs)
        return super()._sample(input_ids, *how, synced_gpus=synced_gpus, streamer=streamer, **model_kwargs)

    def _beam_search(
        self: "WaeRnfModel",
        input_ids: torch.LongTensor,
        logits_processor: LogitsProcessorList,
        stopping_criteria: StoppingCriteriaList,
        generation_config: GenerationConfig,
        synced_gpus: bool = False,
        tokenizer: PreTrainedTokenizerBase | None = None,
        assistant_tokenizer: PreTrainedTokenizerBase | None = None,
        **model_kwargs: Any,
    ) -> GenerateBeamOutput | torch.LongTensor:
        how = (logits_processor, stopping_criteria, generation_config)
        found = super()._beam_search(input_ids, *how, synced_gpus=synced_gpus, **self._with_cache(model_kwargs))
        # where padding is token 0, Transformers repeats end-of-sentence instead
        end, padding = generation_config._eos_token_tensor, generation_config._pad_token_tensor
        if end is not None and padding is not None:
            sequences = found if isinstance(found, torch.Tensor) else found.sequences
            written = sequences[:, input_ids.shape[1] :]
            ends = torch.isin(written, end).long()
            written.masked_fill_(ends.cumsum(1) > ends, int(padding))
        return found

    def _with_cache(self: "WaeRnfModel", model_kwargs: dict[str, Any]) -> dict[str, Any]:
        """A fresh cache where one is used and none is given: Transformers itself knows only those of attention."""
        return {CACHE_NAME: self.decoder.new_cache()} | model_kwargs if model_kwargs.get("use_cache") else model_kwargs

    def prepare_inputs_for_generation(  # type: ignore[override]  # on purpose, see below
        self: "WaeRnfModel", input_ids: torch.LongTensor, **kwargs: Any
    ) -> dict[str, Any]:
        # without `inputs_embeds` among the parameters, by which Transformers tells that prompts are token ids alone
        return super().prepare_inputs_for_generation(input_ids, **kwargs)

    def _get_stopping_criteria(
        self: "WaeRnfModel",
        generation_config: GenerationConfig,
        stopping_criteria: StoppingCriteriaList | None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        **kwargs: Any,
    ) -> StoppingCriteriaList:
        strings = generation_config.stop_strings
        if strings is None or tokenizer is None:
            return super()._get_stopping_criteria(generation_config, stopping_criteria, tokenizer=tokenizer, **kwargs)
        generation_config.stop_strings = None  # this call's own copy
        own = StoppingCriteriaList([*(stopping_criteria or []), StopStrings(strings, tokenizer)])
        return super()._get_stopping_criteria(generation_config, own, tokenizer=tokenizer, **kwargs)

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False  # the loops bring their own; a `cache_implementation` is warned of

    def init_continuous_batching(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ValueError("continuous batching is of models with attention; generate takes batches of any size")

    def adjust_generation_fn(self: "WaeRnfModel", *args: Any, **kwargs: Any) -> None:
        super().adjust_generation_fn(*args, **kwargs)
        # Earlier versions saved the 0, with which a greedy configuration cannot be saved.
        if self.generation_config.top_k == 0:
            self.generation_config.top_k = None
