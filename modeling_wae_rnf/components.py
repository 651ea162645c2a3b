"""Every interchangeable part, by its name in config.json. A new part is a file and a row here.

A saved directory takes along the files that these imports reach, so the table is the list of imports too.
"""

import math
from typing import TYPE_CHECKING, Any

from .auxiliary_loss import AuxiliaryLoss
from .bag_of_words import BagOfWords
from .decoder_cnn import CNNDecoder
from .decoder_hybrid import HybridDecoder
from .decoder_lstm import LSTMDecoder
from .decoder_transformer import TransformerDecoder
from .dirichlet_priors import ConditionalDirichletPrior, DirichletPrior
from .encoder_cnn import CNNEncoder
from .encoder_lstm import LSTMEncoder
from .gaussian import GaussianHead
from .gaussian_dirichlet import GaussianDirichletHead
from .inference import Amortized
from .log_variance import LogVariance
from .objectives import OBJECTIVES
from .part import Part
from .position_tokens import PositionTokens
from .priors import FlowPrior, MixturePrior, StandardNormal, UniformSphere, VampPrior
from .semi_amortized import SemiAmortized
from .von_mises_fisher import VonMisesFisherHead

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig

# By the field of the configuration that names the part, see `FIELDS`; `auxiliary_losses` names several.
COMPONENTS: dict[str, Any] = {
    "encoder": {"lstm": LSTMEncoder, "cnn": CNNEncoder},
    "posterior": {"gaussian": GaussianHead, "vmf": VonMisesFisherHead, "gaussian_dirichlet": GaussianDirichletHead},
    "inference": {"amortized": Amortized, "semi_amortized": SemiAmortized},
    "prior": {
        "standard_normal": StandardNormal,
        "uniform_sphere": UniformSphere,
        "mixture": MixturePrior,
        "vamp": VampPrior,
        "flow": FlowPrior,
        "dirichlet": DirichletPrior,
        "conditional_dirichlet": ConditionalDirichletPrior,
    },
    "decoder": {"lstm": LSTMDecoder, "cnn": CNNDecoder, "transformer": TransformerDecoder, "hybrid": HybridDecoder},
    "objective": OBJECTIVES,
    "auxiliary_losses": {"bag_of_words": BagOfWords, "position_tokens": PositionTokens, "log_variance": LogVariance},
}
# Where the field has another name: Transformers takes `encoder` and `decoder` for configurations of their own.
FIELDS = {"encoder": "encoder_type", "decoder": "decoder_type"}


def name_of(kind: str, config: "WaeRnfConfig") -> str:
    """The name of the part of a kind; where `prior` is None, that of the posterior's natural one."""
    name = getattr(config, FIELDS.get(kind, kind))
    return part_of("posterior", config).natural_prior if kind == "prior" and name is None else name


def part_of(kind: str, config: "WaeRnfConfig") -> Any:
    """The part of a kind that a configuration names: a class, or an objective.

    Raises:
        ValueError: an unknown name; the message lists what there is.
    """
    return _look_up(kind, name_of(kind, config))


def build(kind: str, config: "WaeRnfConfig", *others: Any) -> Any:
    """The module of the part of a kind, with its own options.

    Args:
        kind: a key of `COMPONENTS`.
        config: a [`WaeRnfConfig`].
        others: what the contract of the kind gives a part beside it.
    """
    return part_of(kind, config)(config, *others, **getattr(config, f"{kind}_kwargs"))


def build_auxiliary_losses(config: "WaeRnfConfig") -> dict[str, AuxiliaryLoss]:
    """{name: loss} of those that a configuration names."""
    options, table = config.auxiliary_losses_kwargs, COMPONENTS["auxiliary_losses"]
    return {name: table[name](config, **options.get(name, {})) for name in config.auxiliary_losses}


def check_parts(config: "WaeRnfConfig") -> None:
    """Whether there is every part that a configuration names, with the options that are given for it.

    Raises:
        ValueError: an unknown part or option, or one that the other fields do not suit.
    """
    for kind in COMPONENTS.keys() - {"auxiliary_losses", "objective"}:
        part = part_of(kind, config)
        _check_options(f"{kind}_kwargs", getattr(config, f"{kind}_kwargs"), f"{kind} {name_of(kind, config)!r}", part)
        part.check(config)
    part_of("objective", config)
    if part_of("inference", config).by_sentence and part_of("decoder", config).batch_normalized:
        reason = f"decoder {config.decoder_type!r} is batch-normalized"
        raise ValueError(f"{config.inference} refines each sentence by itself, and {reason}")
    _check_auxiliary_losses(config)


def _check_auxiliary_losses(config: "WaeRnfConfig") -> None:
    _check_mapping("auxiliary_losses", config.auxiliary_losses)
    for name, weight in config.auxiliary_losses.items():
        loss = _look_up("auxiliary_losses", name)
        loss.check(config)
        if loss.reads_position_features and not part_of("decoder", config).has_position_features:
            suited = [decoder for decoder, part in COMPONENTS["decoder"].items() if part.has_position_features]
            raise ValueError(
                f"auxiliary_losses: {name} needs a decoder with a feature of each position, {', '.join(suited)}, but "
                f"decoder_type is {name_of('decoder', config)}"
            )
        if not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise ValueError(f"the weight of {name} in auxiliary_losses must be a number from 0 on, not {weight!r}")
    _check_mapping("auxiliary_losses_kwargs", config.auxiliary_losses_kwargs)
    for name, options in config.auxiliary_losses_kwargs.items():
        if name not in config.auxiliary_losses:
            raise ValueError(f"auxiliary_losses_kwargs has options of {name!r}, which auxiliary_losses does not name")
        _check_options("auxiliary_losses_kwargs", options, f"{name!r}", _look_up("auxiliary_losses", name))


def _look_up(kind: str, name: str) -> Any:
    table = COMPONENTS[kind]
    if name not in table:
        raise ValueError(f"{FIELDS.get(kind, kind)} must be one of {', '.join(table)}, but is {name}")
    return table[name]


def _check_mapping(field: str, value: object) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{field} must be a dictionary, not {value!r}")


def _check_options(field: str, given: dict[str, Any], title: str, part: type[Part]) -> None:
    _check_mapping(field, given)
    for name in given:
        if name not in part.options():
            known = f"it has {', '.join(part.options())}" if part.options() else "it has none of its own"
            raise ValueError(f"{field}: {title} has no option {name!r}; {known}")
