"""What may help where a latent variable has collapsed, or the centres lie too close: options that a run could have."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from wae_rnf.evaluation.latent_use import Advice

from .arguments import TrainArguments, arguments_of_record
from .model_options import check_model
from .option_scope import without_part
from .systems import SYSTEMS

# What may help, as options; those that a run cannot have, or has already, are not named.
REMEDIES = (
    ({"preset": "recipe"}, "--preset recipe"),
    ({"latents_at_every_step": True}, "--latents_at_every_step"),
    ({"mean_gamma": 0.6}, "--mean_gamma 0.6"),
    ({"minimum_rate": 5.0}, "--minimum_rate 5"),
    ({"free_bits": 0.25}, "--free_bits 0.25"),
    ({"autoencoder_epochs": 3}, "--autoencoder_epochs 3"),
    ({"kl_end": 1.0}, "a later --kl_end"),
    ({"kl_weight": 0.1}, "a lower --kl_weight"),
    ({"adversarial_weight": 1.0}, "a lower --adversarial_weight"),
)
SCALES = ("kl_end", "kl_weight", "adversarial_weight")  # that a run always has
REMEDIES_OF_CENTRES = (
    ({"autoencoder_epochs": 3}, "--autoencoder_epochs 3"),
    ({"mean_gamma": 1.0}, "--mean_gamma 1"),
    ({"centres_from": "FILE.npy"}, "--centres_from another model or a .npy file"),
)


def advice(options: dict[str, Any]) -> Advice:
    """What a run could try whose latent variable has collapsed, and what for its centres: [`Advice`].

    Args:
        options: of the run, by name; those that are not known are the defaults.

    Examples:
        >>> advice({"system": "lstm-lm"}).latent
        ''
    """
    return Advice(_to_try(REMEDIES, options), _to_try(REMEDIES_OF_CENTRES, options))


def _to_try(remedies: Sequence[tuple[dict[str, Any], str]], options: dict[str, Any]) -> str:
    """Those of the remedies that a run of these options could have, and has not."""
    known = options if options.get("system") in SYSTEMS else options | {"system": TrainArguments.system}
    own = asdict(arguments_of_record(known))
    if own["latent_size"] == 0:
        return ""
    found = [words for change, words in remedies if _can_have(own, change)]
    return f" To try: {', '.join(found)}." if found else ""


def _can_have(options: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether a run of these options could have a change, and does not."""
    if "kl_weight" in change and not options["kl_weight"]:  # there is none lower
        return False
    if any(options.get(name) == value or (options.get(name) and name not in SCALES) for name, value in change.items()):
        return False
    try:
        changed = TrainArguments(**options | change)
        check_model(changed)
    except ValueError:
        return False
    return not without_part(change, changed)
