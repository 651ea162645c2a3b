"""Options of `generate`: which one holds, which are of no use here, and what holds where nobody says."""

from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig
    from .modeling_wae_rnf import WaeRnfModel

# What `forward` or another model's `generate` takes, and what to do instead.
REFUSED = {
    "inputs_embeds": "prompts are token ids, `input_ids`",
    "token_type_ids": "a prompt is one sentence",
    "position_ids": "words are read in their order",
    "sample": "words are drawn with do_sample=True",
    "kl_weight": "it belongs to the loss",
    "mmd_weight": "it belongs to the loss",
    "return_dict": "it is called return_dict_in_generate",
    "guidance_scale": "classifier-free guidance needs a model that runs without a latent",
    "token_healing": "tokens are whole words",
}
WITHOUT_EFFECT = (("guidance_scale", 1), ("token_healing", False))


def generation_defaults(config: "WaeRnfConfig") -> dict[str, Any]:
    """How sentences are written where nobody says otherwise: from the model's own distribution, without padding and a
    second beginning, up to the configuration's length."""
    special = [token for token in (config.pad_token_id, config.bos_token_id) if token is not None]
    return {"do_sample": True, "max_length": config.max_words + 1, "suppress_tokens": special}


def option(model: "WaeRnfModel", kwargs: dict[str, Any], name: str) -> Any:
    """What holds in a call: its own options, then those of its configuration, of the model's, our defaults."""
    if name in kwargs:
        return kwargs[name]
    for config in (kwargs.get("generation_config"), model.generation_config):
        if getattr(config, name, None) is not None:
            return getattr(config, name)
    return generation_defaults(model.config).get(name)


def check_options(model: "WaeRnfModel", kwargs: dict[str, Any]) -> None:
    """Raises a ValueError for an option that would be ignored, or that makes no distribution."""
    for name, instead in REFUSED.items():
        value = option(model, kwargs, name)
        if value is not None and (name, value) not in WITHOUT_EFFECT:
            raise ValueError(f"generate takes no {name}: {instead}")
        kwargs.pop(name, None)
    temperature = option(model, kwargs, "temperature")
    number = isinstance(temperature, (int, float))
    if option(model, kwargs, "do_sample") and number and not 0 < temperature < float("inf"):
        raise ValueError(
            f"temperature must be a positive number, not {temperature}; the likeliest words come with do_sample=False"
        )
    for name in ("num_beams", "num_return_sequences"):
        count = option(model, kwargs, name)
        if count is not None and count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")


def special_tokens(model: "WaeRnfModel", kwargs: dict[str, Any]) -> tuple[int | None, list[int], int | None]:
    """Beginning-of-sentence, the list of what ends a sentence, and padding, as they hold in a call.

    Raises:
        ValueError: one that is used and not in the vocabulary. A number outside it may stand for no end.
    """
    bos, eos, pad = (option(model, kwargs, f"{name}_token_id") for name in ("bos", "eos", "pad"))
    eos = [] if eos is None else torch.as_tensor(eos).flatten().tolist()
    vocabulary = range(model.config.vocab_size)
    used = {"bos_token_id": bos, "pad_token_id": pad if any(end in vocabulary for end in eos) else None}
    for name, token in used.items():
        if token is not None and token not in vocabulary:
            raise ValueError(f"{name} must lie in 0 … {vocabulary[-1]}, the vocabulary, not {token}")
    return bos, eos, pad


def check_room(model: "WaeRnfModel", prompts: torch.Tensor, kwargs: dict[str, Any]) -> None:
    """Raises a ValueError where the longest prompt reaches `max_length`, or that what the decoder can read."""
    longest, new = option(model, kwargs, "max_length"), option(model, kwargs, "max_new_tokens")
    if new is None and longest is not None and prompts.shape[1] >= longest:
        raise ValueError(
            f"the longest prompt has {prompts.shape[1] - 1} words, which leaves none of the {max(longest - 1, 0)} to "
            "be written; shorten it, or raise max_length"
        )
    total, room = longest if new is None else prompts.shape[1] + new, model.decoder.longest
    if room is not None and total is not None and total > room + 1:  # the last token is not read
        raise ValueError(
            f"{total - 1} tokens are more than the {room} that this decoder has positions for; lower max_new_tokens "
            "or max_length"
        )


def complete(model: "WaeRnfModel", kwargs: dict[str, Any]) -> None:
    """Puts our defaults where neither the call nor a saved generation_config.json says anything."""
    defaults = generation_defaults(model.config)
    if option(model, kwargs, "do_sample"):
        # Transformers' own default are the 50 likeliest words. This one is in no configuration: a greedy one with it
        # could not be saved.
        defaults["top_k"] = 0
    if kwargs.get("max_length", 0) is None:
        del kwargs["max_length"]
    given = kwargs.get("generation_config")
    configs = [config for config in (given, model.generation_config) if config is not None]
    missing = {
        name: value
        for name, value in defaults.items()
        if name not in kwargs and all(getattr(config, name) is None for config in configs)
    }
    if option(model, kwargs, "max_new_tokens") is not None and kwargs.get("max_length") is None:
        missing.pop("max_length", None)
        kwargs["max_length"] = None  # of the two only one counts
    if given is None:
        kwargs.update(missing)
    elif missing:  # Transformers warns of a configuration and options beside it
        kwargs["generation_config"] = GenerationConfig()
        vars(kwargs["generation_config"]).update(vars(given) | missing)  # the caller's own stays as it is
