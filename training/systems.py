"""The systems of the paper: each is one row, its difference from WAE-RNF."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class System:
    """A row of the table.

    Args:
        config: the fields of `WaeRnfConfig` in which the system differs from the defaults, which are WAE-RNF's.
        annealing: the part of the run, from and to, over which `kl_weight` climbs from 0 to its last value.
        sampled: draw the latent code while training; an autoencoder takes the posterior's mean.
        lagging: train the encoder alone before each step, see `training_wae_rnf.lagging`.
    """

    config: dict = field(default_factory=dict)
    # epochs 3 to 19 of 48, the authors' clip((t - 6000) / 40000, 0, 0.8)
    annealing: tuple[float, float] = (3 / 48, 19 / 48)
    sampled: bool = True
    lagging: bool = False


NO_FLOW = {"num_flows": 0, "flow_kernel": None}
BOUND = {"kl_weight": 1.0, "mmd_weight": 0.0}
FULL_KL_AT_EPOCH_21 = (0.0, 21 / 48)
FULL_KL_AT_EPOCH_10 = (0.0, 10 / 48)  # He et al. 2019
FULL_KL = (0.0, 0.0)

SYSTEMS = {
    "lstm-lm": System({"latent_size": 0} | NO_FLOW | BOUND, FULL_KL),
    "vae": System(NO_FLOW | BOUND, FULL_KL_AT_EPOCH_21),
    "vae-nf": System({"flow_kernel": None, "objective": "flow_posterior"} | BOUND, FULL_KL_AT_EPOCH_21),
    "lagging-vae": System(NO_FLOW | BOUND, FULL_KL_AT_EPOCH_10, lagging=True),
    "vmf-vae": System({"posterior": "vmf"} | NO_FLOW | BOUND, FULL_KL),
    "wae": System(NO_FLOW),
    "wae-nf": System({"flow_kernel": None}),
    "wae-rnf": System(),
}
