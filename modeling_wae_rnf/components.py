"""The tables of parts: a name in the configuration, and the class that it stands for."""

from .gaussian import GaussianHead
from .von_mises_fisher import VonMisesFisherHead

HEADS = {"gaussian": GaussianHead, "vmf": VonMisesFisherHead}
