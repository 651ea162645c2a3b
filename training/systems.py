"""The systems of the paper: each is one row, its difference from WAE-RNF."""

from dataclasses import dataclass, field, replace

from .lagging import Lagging
from .strategy import Strategy


@dataclass(frozen=True)
class System:
    """A row of the table.

    Args:
        config: the fields of `WaeRnfConfig` in which the system differs from the defaults, which are WAE-RNF's.
        annealing: the part of the run, from and to, over which `kl_weight` climbs from 0 to its last value.
        sampled: draw the latent code while training; an autoencoder takes the posterior's mean.
        strategy: what a stage does beside the plain step, see `wae_rnf.training.strategy`.
    """

    config: dict = field(default_factory=dict)
    # epochs 3 to 19 of 48, the authors' clip((t - 6000) / 40000, 0, 0.8)
    annealing: tuple[float, float] = (3 / 48, 19 / 48)
    sampled: bool = True
    strategy: type[Strategy] = Strategy


# What the rows differ in, as the defaults of `WaeRnfConfig` have it; here without the library's weight.
WAE_RNF = {
    "posterior": "gaussian", "num_flows": 3, "flow_kernel": "imq", "objective": "paper", "kl_weight": 0.8,
    "mmd_weight": 9.2,
}  # fmt: skip
NO_FLOW = {"num_flows": 0, "flow_kernel": None}
BOUND = {"kl_weight": 1.0, "mmd_weight": 0.0}
FULL_KL_AT_EPOCH_21 = (0.0, 21 / 48)
FULL_KL_AT_EPOCH_10 = (0.0, 10 / 48)  # He et al. 2019
FULL_KL = (0.0, 0.0)

SYSTEMS = {
    "lstm-lm": System({"latent_size": 0} | NO_FLOW | BOUND, FULL_KL),
    "vae": System(NO_FLOW | BOUND, FULL_KL_AT_EPOCH_21),
    "vae-nf": System({"flow_kernel": None, "objective": "flow_posterior"} | BOUND, FULL_KL_AT_EPOCH_21),
    "lagging-vae": System(NO_FLOW | BOUND, FULL_KL_AT_EPOCH_10, strategy=Lagging),
    "vmf-vae": System({"posterior": "vmf"} | NO_FLOW | BOUND, FULL_KL),
    "wae": System(NO_FLOW),
    "wae-nf": System({"flow_kernel": None}),
    "wae-rnf": System(),
}
OVERRIDES = ("num_flows", "flow_kernel", "objective", "kl_weight", "mmd_weight")
BY_DEFINITION = ("num_flows", "flow_kernel", "mmd_weight")  # a row that names one has it so, whatever is asked for


def objective_of(system, given=None):
    """The objective that a system is trained on: the one that was given, or that of its row.

    Example:
        >>> objective_of("wae-rnf"), objective_of("vae-nf"), objective_of("vae-nf", "paper")
        ('paper', 'flow_posterior', 'paper')
    """
    return given or (WAE_RNF | SYSTEMS[system].config if system in SYSTEMS else WAE_RNF)["objective"]


def has_metric(system):
    return (WAE_RNF | system.config)["flow_kernel"] is not None


def customized_system(arguments):
    """The system's row, with the options given on the command line put in.

    Raises:
        ValueError: an unknown system, or an option for a part that the system does not have.
    """
    if arguments.system not in SYSTEMS:
        raise ValueError(f"unknown system {arguments.system!r}; choose one of {', '.join(SYSTEMS)}")
    system = SYSTEMS[arguments.system]
    overrides = {name: getattr(arguments, name) for name in OVERRIDES if getattr(arguments, name) is not None}
    for name in BY_DEFINITION:
        if name in overrides and name in system.config:
            raise ValueError(f"--{name} does not apply to {arguments.system}: it has none by definition")
    config = system.config | overrides
    if arguments.autoencoder_epochs and system.config.get("latent_size") == 0:
        raise ValueError(f"--autoencoder_epochs does not apply to {arguments.system}: it has no latent code")
    if arguments.centres_from and not has_metric(System(config)):
        raise ValueError(f"--centres_from does not apply to {arguments.system}: it has no metric, hence no centres")
    if has_metric(System(config)) and (WAE_RNF | config)["num_flows"] == 0:
        raise ValueError(f"--num_flows 0 leaves {arguments.system} no flow for its metric to shape; choose wae")
    start, end = system.annealing
    annealing = (
        start if arguments.kl_start is None else arguments.kl_start,
        end if arguments.kl_end is None else arguments.kl_end,
    )
    if annealing[0] > annealing[1]:
        raise ValueError(f"--kl_start {annealing[0]} lies after --kl_end {annealing[1]}; alpha climbs between the two")
    return replace(system, config=config, annealing=annealing)


def system_of(config) -> str:
    """The first row of the table of systems that has the parts of this configuration; "wae_rnf" where none has.

    Example:
        >>> from modeling_wae_rnf import WaeRnfConfig
        >>> system_of(WaeRnfConfig(vocab_size=9, flow_kernel=None))
        'wae-nf'
    """
    defaults = type(config)()

    def parts(value_of):
        return (
            value_of("latent_size") > 0, value_of("posterior"), value_of("num_flows") > 0,
            value_of("flow_kernel") is not None, value_of("mmd_weight") > 0,
        )  # fmt: skip

    mine = parts(lambda name: getattr(config, name))
    matching = (
        name
        for name, system in SYSTEMS.items()
        if mine == parts(lambda field, row=system.config: row.get(field, getattr(defaults, field)))
    )
    return next(matching, config.model_type)
