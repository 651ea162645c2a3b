"""What is done in the latent space: sentence features, reconstruction, interpolation, analogy."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from transformers.generation.utils import GenerateOutput

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel


class LatentOperations:
    """Sentences to latent variables, and back by `generate`."""

    @torch.no_grad()
    def embed(
        self: "WaeRnfModel", input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Posterior means, (batch, latent_size): features of sentences.

        Args:
            input_ids, attention_mask: (batch, length), as the tokenizer gives them, padded on the right.

        Raises:
            ValueError: a language model, which has no latent variable.
        """
        if not self.config.has_latents:
            raise ValueError("a language model has no latent variable: it encodes no sentence")
        return self.encode(input_ids, attention_mask).mean

    def reconstruct(
        self: "WaeRnfModel", batch: Mapping[str, torch.Tensor], **kwargs: Any
    ) -> GenerateOutput | torch.LongTensor:
        """Each sentence through its posterior mean and back, decoded greedily.

        Args:
            batch: what the tokenizer gives, `input_ids` and `attention_mask`.
            kwargs: options of `generate`; `do_sample=True` draws words.

        Returns:
            (batch, length) token ids.
        """
        return self.generate(latents=self.embed(**batch), **GREEDY | kwargs)

    def interpolate(
        self: "WaeRnfModel",
        batch_a: Mapping[str, torch.Tensor],
        batch_b: Mapping[str, torch.Tensor],
        steps: int = 7,
        path: str | None = None,
        space: str = "z",
        metric: str | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Sentences on the way from one to another, decoded greedily.

        Args:
            batch_a, batch_b: what the tokenizer gives, as many sentences in both.
            steps: points of the way, its ends included.
            path: "straight", a (1 - t) + b t; "spherical", which turns from a to b at a constant angle and keeps to
                the norms of a Gaussian sample (White 2016, arXiv 1609.04468); or "geodesic", the shortest way by a
                metric. By default the one on the sphere for a von Mises-Fisher posterior, and straight otherwise.
            space: "z", where the prior is, or "z_prime", behind the flow; geodesics run in z.
            metric: of a geodesic, see `metric_tensor`; "flow" by default, whose geodesics are the straight lines
                behind the flow.
            kwargs: options of `generate`.

        Returns:
            (batch, steps, length) token ids.

        Raises:
            ValueError: fewer than two steps, an unknown path, space or metric, a metric of another path than a
                geodesic, a geodesic in z_prime, a spherical path or a geodesic between proportions of topics, a
                language model, `return_dict_in_generate`.
        """
        path = path or ("spherical" if self.prior.space == "sphere" else "straight")
        if path == "spherical" and self.prior.space == "simplex":
            raise ValueError("topics lie on a simplex, which a spherical path leaves; take a straight one")
        if steps < 2:
            raise ValueError(f"steps must be at least 2, not {steps}")
        if path not in PATHS:
            raise ValueError(f"path must be one of {', '.join(PATHS)}, not {path!r}")
        if space not in ("z", "z_prime"):
            raise ValueError(f'space must be "z" or "z_prime", not {space!r}')
        if path != "geodesic" and metric is not None:
            raise ValueError(f"a metric is of path='geodesic' alone, not of {path!r}")
        if path == "geodesic" and space != "z":
            raise ValueError("a geodesic runs in space='z'; what it is behind the flow is for the metric to say")
        a, b = (self.embed(**batch) for batch in (batch_a, batch_b))
        if space == "z_prime":
            a, b = (self.push(z)[0] for z in (a, b))
        if path == "geodesic":
            points = self.geodesic(a, b, steps=steps, metric=metric or "flow")
        else:
            positions = torch.linspace(0, 1, steps, device=self.device, dtype=self.dtype)
            points = torch.stack([WAYS[path](a, b, position) for position in positions], dim=1)
        given: dict[str, Any] = {"latents" if space == "z" else "z_prime": points.flatten(0, 1)}
        sentences = self.generate(**given, **GREEDY | kwargs)
        if not isinstance(sentences, torch.Tensor):
            raise ValueError("interpolate gives token ids alone; leave return_dict_in_generate out")
        return sentences.unflatten(0, (-1, steps))

    def analogy(
        self: "WaeRnfModel",
        batch_a: Mapping[str, torch.Tensor],
        batch_b: Mapping[str, torch.Tensor],
        batch_c: Mapping[str, torch.Tensor],
        **kwargs: Any,
    ) -> GenerateOutput | torch.LongTensor:
        """What is to c as b is to a: the sentences at z = z_b - z_a + z_c, decoded greedily; on a sphere or a simplex
        z is brought back there.

        Args:
            batch_a, batch_b, batch_c: what the tokenizer gives, as many sentences in each.
            kwargs: options of `generate`.

        Returns:
            (batch, length) token ids.
        """
        a, b, c = (self.embed(**batch) for batch in (batch_a, batch_b, batch_c))
        return self.generate(latents=self.prior.project(b - a + c), **GREEDY | kwargs)


def spherical(a: torch.Tensor, b: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """From a to b (batch, d) at a constant angle: sin((1 - t)w)/sin(w) a + sin(tw)/sin(w) b, w the angle between."""
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1).unsqueeze(-1)
    angle = cosine.acos()
    turned = (((1 - position) * angle).sin() * a + (position * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin() > 1e-4, turned, torch.lerp(a, b, position))


# those that the two ends alone decide
WAYS: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "straight": torch.lerp,
    "spherical": spherical,
}
PATHS = (*WAYS, "geodesic")
GREEDY = {"do_sample": False}
