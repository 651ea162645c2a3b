"""What the importance samples of an evaluation are drawn from, by name."""

PROPOSALS = ("posterior", "mixture")
PROPOSAL_HELP = (
    "Proposal of the importance samples: posterior, q(z|x), or mixture, (q(z|x) + p(z)) / 2, whose weights are "
    "bounded."
)


def check_proposal(proposal: str, samples: int, name: str = "iwae_samples") -> None:
    """Raises ValueError unless so many importance samples can be drawn from the proposal."""
    if proposal not in PROPOSALS:
        raise ValueError(f"--proposal must be one of {', '.join(PROPOSALS)}, but is {proposal}")
    if proposal == "mixture" and samples % 2:
        rule = "must be even where the proposal is a mixture, half of them are from each part"
        raise ValueError(f"--{name} {rule}, but is {samples}")
