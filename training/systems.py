"""The systems of the paper and those that it grew from: each is one row of a table."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from .adversarial import Adversarial
from .lagging import Lagging
from .network.model_options import ModelOptions
from .strategy import Strategy

if TYPE_CHECKING:
    from modeling_wae_rnf import WaeRnfConfig

    from .arguments import TrainArguments

MODEL_DEFAULTS = asdict(ModelOptions()) | {"posterior": "gaussian"}


@dataclass(frozen=True)
class System:
    """A row of the table: the model of a run is `WaeRnfConfig(**defaults | given options | fixed)`.

    Args:
        fixed: fields of `WaeRnfConfig` that make the system what it is; no option may contradict them.
        defaults: fields of `WaeRnfConfig` that its paper sets; an option may set them otherwise.
        annealing: the part of the run, from and to, over which `kl_weight` climbs to its last value.
        climbs_from: where it starts, as a part of its last value.
        constant_sum: whether `kl_weight` + `mmd_weight` is constant while the first climbs, as in the paper, or the
            second alone.
        sampled: draw the latent variable while training; an autoencoder takes the posterior's mean.
        strategy: what a stage does beside the plain step, see `wae_rnf.training.strategy`.
        year: of the paper.
        paper: the paper that proposed it: authors, venue and year, arXiv number.
        differs: what differs from the system that it grew from.
    """

    fixed: dict = field(default_factory=dict)
    defaults: dict = field(default_factory=dict)
    # epochs 3 to 19 of 48, the authors' clip((t - 6000) / 40000, 0, 0.8)
    annealing: tuple[float, float] = (3 / 48, 19 / 48)
    climbs_from: float = 0.0
    constant_sum: bool = True
    sampled: bool = True
    strategy: type[Strategy] = Strategy
    year: int = 2019
    paper: str = "Wang and Wang, NAACL 2019, arXiv 1904.02399"
    differs: str = ""

    @property
    def config(self) -> dict:
        """The fields of `WaeRnfConfig` in which it differs from the configuration's defaults, where none is given."""
        return self.defaults | self.fixed


NO_FLOW = {"num_flows": 0, "flow_kernel": None}
NO_MMD = {"mmd_weight": 0.0}
# keeps the latent variable in use; the paper learns the scale, and its latent variable may collapse
SCALE_OF_MEANS = {"mean_gamma": 0.6}
FULL_KL_AT_EPOCH_21 = (0.0, 21 / 48)
FULL_KL_AT_EPOCH_10 = (0.0, 10 / 48)  # He et al. 2019
FULL_KL = (0.0, 0.0)

SYSTEMS = {
    "lstm-lm": System(
        {"latent_size": 0} | NO_FLOW | NO_MMD,
        {"kl_weight": 1.0},
        FULL_KL,
        year=2012,
        paper="Sundermeyer et al., Interspeech 2012",
        differs="language model: the decoder alone, without a latent variable",
    ),
    "vae": System(
        NO_FLOW | NO_MMD,
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2016,
        paper="Bowman et al., CoNLL 2016, arXiv 1511.06349",
        differs="Gaussian posterior; ELBO with an annealed KL weight",
    ),
    "vae-nf": System(
        {"flow_kernel": None} | NO_MMD,
        {"objective": "flow_posterior", "kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2015,
        paper="Rezende and Mohamed, ICML 2015, arXiv 1505.05770",
        differs="vae with planar flows on its posterior",
    ),
    "lagging-vae": System(
        NO_FLOW | NO_MMD,
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_10,
        strategy=Lagging,
        year=2019,
        paper="He et al., ICLR 2019, arXiv 1901.05534",
        differs="vae whose encoder is trained alone before each step, until it keeps up with the decoder",
    ),
    "sa-vae": System(
        NO_FLOW | NO_MMD | {"inference": "semi_amortized"},
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_10,
        climbs_from=0.1,
        year=2018,
        paper="Kim et al., ICML 2018, arXiv 1802.02550",
        differs="vae whose posterior is refined by gradient ascent on each sentence's ELBO",
    ),
    "vae-bow": System(
        NO_FLOW | NO_MMD | {"auxiliary_losses": {"bag_of_words": 1.0}},
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2017,
        paper="Zhao, Zhao and Eskenazi, ACL 2017, arXiv 1703.10960",
        differs="vae whose latent variable predicts the sentence's words without their order",
    ),
    "cnn-vae": System(
        NO_FLOW | NO_MMD | {"decoder_type": "cnn"},
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2017,
        paper="Yang et al., ICML 2017, arXiv 1702.08139",
        differs="vae with a dilated CNN decoder of limited context",
    ),
    "hybrid-vae": System(
        NO_FLOW
        | NO_MMD
        | {"encoder_type": "cnn", "decoder_type": "hybrid", "auxiliary_losses": {"position_tokens": 0.2}},
        {"kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2017,
        paper="Semeniuta, Severyn and Barth, EMNLP 2017, arXiv 1702.02390",
        differs="vae with a convolutional encoder and an LSTM over a deconvolution",
    ),
    "vmf-vae": System(
        {"posterior": "vmf"} | NO_FLOW | NO_MMD,
        {"kl_weight": 1.0},
        FULL_KL,
        year=2018,
        paper="Xu and Durrett, EMNLP 2018, arXiv 1808.10805",
        differs="vae on the sphere: von Mises-Fisher posterior, uniform prior",
    ),
    "dirichlet-vae": System(
        {"posterior": "gaussian_dirichlet"} | NO_FLOW | NO_MMD,
        {"prior": "conditional_dirichlet", "kl_weight": 1.0},
        FULL_KL_AT_EPOCH_21,
        year=2018,
        paper="Xiao, Zhao and Wang 2018, arXiv 1811.00135",
        differs="vae with topics beside z: Dirichlet posterior and prior",
    ),
    "dae": System(
        NO_FLOW | NO_MMD,
        {"kl_weight": 0.0, "input_drop": 0.3},
        FULL_KL,
        year=2020,
        paper="Shen et al., ICML 2020, arXiv 1905.12777",
        differs="vae without a KL, whose encoder reads sentences with words dropped",
    ),
    "aae": System(
        NO_FLOW | NO_MMD,
        {"kl_weight": 0.0},
        FULL_KL,
        strategy=Adversarial,
        year=2015,
        paper="Makhzani et al. 2015, arXiv 1511.05644",
        differs="vae with a discriminator of z and prior in place of the KL",
    ),
    "daae": System(
        NO_FLOW | NO_MMD,
        {"kl_weight": 0.0, "input_drop": 0.3},
        FULL_KL,
        strategy=Adversarial,
        year=2020,
        paper="Shen et al., ICML 2020, arXiv 1905.12777",
        differs="aae and dae in one",
    ),
    "wae": System(
        NO_FLOW,
        SCALE_OF_MEANS,
        year=2018,
        paper="Tolstikhin et al., ICLR 2018, arXiv 1711.01558",
        differs="vae with an MMD to the prior, and less weight on the KL",
    ),
    "infovae": System(
        NO_FLOW,
        # 1 - a and a + l - 1 of a = 0.5 and l = 10; wae is a = 0.2 and l = 10, and vae a = 0 and l = 1
        {"kl_weight": 0.5, "mmd_weight": 9.5} | SCALE_OF_MEANS,
        FULL_KL,
        constant_sum=False,
        year=2017,
        paper="Zhao, Song and Ermon 2017, arXiv 1706.02262",
        differs="wae with free, constant weights of KL and MMD",
    ),
    "wae-nf": System({"flow_kernel": None}, SCALE_OF_MEANS, differs="wae with planar flows behind its posterior"),
    "wae-rnf": System(
        {}, SCALE_OF_MEANS, differs="wae-nf whose flows follow a Riemannian metric around cluster centres"
    ),
}


def default_in_words(option: str) -> Any:
    """The default of an option of the model, for its help: a value, or words where it is another in another system.

    Examples:
        >>> default_in_words("latent_size"), default_in_words("kl_weight")
        (32, 'by system; 0.8 for wae-rnf')
    """
    general = MODEL_DEFAULTS[option]
    if all(system.defaults.get(option, general) == general for system in SYSTEMS.values()):
        return general
    return f"by system; {SYSTEMS['wae-rnf'].defaults.get(option, general)} for wae-rnf"


def find_system(name: str) -> System:
    """The row of a name.

    Raises:
        ValueError: there is none.
    """
    if name not in SYSTEMS:
        raise ValueError(f"unknown system {name!r}; choose one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def objective_of(name: str) -> str:
    """The objective that a system is trained on by default; of an unknown one, that of WAE-RNF.

    Examples:
        >>> objective_of("wae-rnf"), objective_of("vae-nf")
        ('paper', 'flow_posterior')
    """
    return (MODEL_DEFAULTS | (SYSTEMS[name].config if name in SYSTEMS else {}))["objective"]


def has_metric(system: System) -> bool:
    """Whether its flow follows a Riemannian metric."""
    return (MODEL_DEFAULTS | system.config)["flow_kernel"] is not None


def resolve(name: str, given: dict) -> dict:
    """Every option of the model of a run: {option: value}.

    Args:
        name: of the system.
        given: the options that were set, by name.

    Raises:
        ValueError: an unknown system, or an option that contradicts what the system is.

    Examples:
        >>> resolve("wae", {"latent_size": 16})["num_flows"]
        0
        >>> resolve("wae", {"num_flows": 3})
        Traceback (most recent call last):
        ValueError: --num_flows does not apply to wae: it has none by definition
    """
    system = find_system(name)
    for option, fixed in system.fixed.items():
        if given.get(option, fixed) != fixed:
            reason = f"it is {fixed} by definition" if fixed else "it has none by definition"
            raise ValueError(f"--{option} does not apply to {name}: {reason}")
    found = MODEL_DEFAULTS | system.defaults | given | system.fixed
    if not found["batch_norm"] and "mean_gamma" not in given:
        found["mean_gamma"] = None  # the scale of nothing
    if found["latent_size"] < 1 and "latent_size" not in system.fixed:
        reason = "a model without a latent variable is --system lstm-lm"
        raise ValueError(f"--latent_size must be at least 1, but is {found['latent_size']}; {reason}")
    if has_metric(system) and found["flow_kernel"] is None:
        raise ValueError(f"--flow_kernel none leaves {name} without its metric; choose wae-nf")
    if has_metric(system) and found["num_flows"] == 0:
        raise ValueError(f"--num_flows 0 leaves {name} no flow for its metric to shape; choose wae")
    return {declared.name: found[declared.name] for declared in fields(ModelOptions)}


def customized_system(arguments: "TrainArguments") -> System:
    """The system of a run, with the schedule of its options.

    Raises:
        ValueError: an option for a part that the system does not have, or a schedule that ends before it starts.
    """
    name, system = arguments.system, SYSTEMS[arguments.system]
    if arguments.autoencoder_epochs and arguments.latent_size == 0:
        raise ValueError(f"--autoencoder_epochs does not apply to {name}: it has no latent variable")
    if arguments.init_from and arguments.autoencoder_epochs:
        raise ValueError("--init_from and --autoencoder_epochs would both give the encoder; leave one of them out")
    if arguments.centres_from and arguments.flow_kernel is None:
        raise ValueError(f"--centres_from does not apply to {name}: it has no metric, hence no centres")
    start, end = (
        default if given is None else given
        for default, given in zip(system.annealing, (arguments.kl_start, arguments.kl_end), strict=True)
    )
    if start > end:
        raise ValueError(f"--kl_start {start} lies after --kl_end {end}; alpha climbs between the two")
    return replace(system, annealing=(start, end))


def system_of(config: "WaeRnfConfig") -> str:
    """The first row of the table of systems that has the parts of this configuration; "wae_rnf" where none has.

    Examples:
        >>> from modeling_wae_rnf import WaeRnfConfig
        >>> system_of(WaeRnfConfig(vocab_size=9, flow_kernel=None))
        'wae-nf'
    """

    def parts(value_of: Callable[[str], Any]) -> tuple[Any, ...]:
        return (
            value_of("latent_size") > 0, value_of("posterior"), value_of("num_flows") > 0,
            value_of("flow_kernel") is not None, value_of("mmd_weight") > 0, value_of("encoder_type"),
            value_of("inference"), value_of("decoder_type"), set(value_of("auxiliary_losses")),
        )  # fmt: skip

    mine = parts(lambda name: getattr(config, name))
    matching = (name for name, system in SYSTEMS.items() if mine == parts((MODEL_DEFAULTS | system.config).get))
    return next(matching, config.model_type)
