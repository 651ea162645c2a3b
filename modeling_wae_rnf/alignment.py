"""Where a sentence stands in its row: whatever the padding, each is brought to the left, from its beginning on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


@dataclass
class Aligned:
    """Sentences that stand on the left of their rows, beginning-of-sentence first.

    Args:
        input_ids: (batch, width), and mask: (batch, width), true for tokens; width is the length that was given, and
            more where a beginning-of-sentence had to be put before a sentence, or where that was one column.
        order: (batch, length), the column that each token came from; None where all stayed in their place.
        begun: (batch,), true for the rows whose beginning-of-sentence was put there; None where none was.
    """

    input_ids: torch.Tensor
    mask: torch.Tensor
    order: torch.Tensor | None = None
    begun: torch.Tensor | None = None

    @property
    def length(self) -> int:
        """Of the rows that were given."""
        return (self.input_ids if self.order is None else self.order).shape[1]

    def repeat(self, times: int) -> "Aligned":
        """All sentences, so many times one after the other."""
        order, begun = self.order, self.begun
        return Aligned(
            self.input_ids.repeat(times, 1),
            self.mask.repeat(times, 1),
            order if order is None else order.repeat(times, 1),
            begun if begun is None else begun.repeat(times),
        )

    def follow(self, values: torch.Tensor, filling: int) -> torch.Tensor:
        """Moves what belongs to the given tokens along with them: (batch, length) -> (batch, width)."""
        if self.order is not None:
            values = values.gather(1, self.order)
        if self.begun is not None:
            values = _put_before(values, self.begun, filling, filling)
        return F.pad(values, (0, self.input_ids.shape[1] - values.shape[1]), value=filling)

    def targets(self, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The token that follows each but the last, and whether it counts: (batch, width - 1) twice.

        Args:
            labels: (batch, length), to be scored instead of the tokens; -100 leaves one out.
        """
        targets, scored = self.input_ids[:, 1:], self.mask[:, 1:]
        if labels is None:
            return targets, scored
        targets = self.follow(labels, filling=-100)[:, 1:]
        return targets, scored & targets.ne(-100)

    def restore(self, values: torch.Tensor) -> torch.Tensor:
        """Brings what belongs to the aligned tokens back in place: (batch, width, ...) -> (batch, length, ...)."""
        if self.order is None:
            return values
        columns = self.order.argsort(dim=1)
        columns = columns if self.begun is None else columns + self.begun.unsqueeze(1)
        return values[torch.arange(len(values), device=values.device).unsqueeze(1), columns]


def align(
    input_ids: torch.Tensor, attention_mask: torch.Tensor | None, config: "WaeRnfConfig", training: bool = False
) -> Aligned:
    """The sentences of a batch, padded on either side or with holes, as if padded on the right by the tokenizer.

    A sentence that begins without beginning-of-sentence gets one. On a GPU that is not looked for while
    training, since the host would wait for the answer.

    Args:
        input_ids: (batch, length).
        attention_mask: (batch, length), 1 for tokens and 0 for padding; derived from `input_ids` when None.
        config: a [`WaeRnfConfig`], for the ids of padding and of beginning-of-sentence.
        training: whether this is a step of training.

    Returns:
        [`Aligned`]

    Raises:
        ValueError: no sentence, no column, or a mask of another shape.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> align(torch.tensor([[0, 1, 5, 2], [6, 7, 8, 2]]), None, WaeRnfConfig()).input_ids
        tensor([[1, 5, 2, 0, 0],
                [1, 6, 7, 8, 2]])
    """
    mask = check_shapes(input_ids, attention_mask, config)
    if input_ids.shape[1] == 1:  # there is always a next word, be it padding
        input_ids, mask = F.pad(input_ids, (0, 1), value=config.pad_token_id), F.pad(mask, (0, 1))
        aligned = align(input_ids, mask, config, training)
        return Aligned(aligned.input_ids, aligned.mask, torch.zeros_like(input_ids[:, :1]), aligned.begun)
    without = mask[:, 0] & input_ids[:, 0].ne(config.bos_token_id)
    # what reading costs on a CPU is not measurable, and most batches need no more
    if can_read(input_ids) and not bool(((mask[:, 1:] & ~mask[:, :-1]).any(1) | without).any()):
        return Aligned(input_ids, mask)
    order = (~mask).long().argsort(dim=1, stable=True)
    aligned = Aligned(input_ids.gather(1, order), mask.gather(1, order), order)
    if can_read(input_ids) or not (training or torch.compiler.is_compiling()):
        begun = aligned.mask[:, 0] & aligned.input_ids[:, 0].ne(config.bos_token_id)
        if bool(begun.any()):
            ids = _put_before(aligned.input_ids, begun, config.bos_token_id, config.pad_token_id)
            return Aligned(ids, _put_before(aligned.mask, begun, True, False), order, begun)
    return aligned


def can_read(tensor: torch.Tensor) -> bool:
    """Whether reading a tensor's values costs nothing: on a CPU, outside of compiling."""
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()


def check_shapes(input_ids: torch.Tensor, attention_mask: torch.Tensor | None, config: "WaeRnfConfig") -> torch.Tensor:
    """The mask (batch, length), true for tokens; padding is never a word, so ids alone tell it when none is given.

    Raises:
        ValueError: as for `align`.
    """
    if input_ids.dim() != 2 or 0 in input_ids.shape:
        raise ValueError(
            f"input_ids must have shape (batch, length), of one sentence and one token at least, not "
            f"{tuple(input_ids.shape)}"
        )
    if attention_mask is None:
        return input_ids.ne(config.pad_token_id)
    if attention_mask.shape != input_ids.shape:
        raise ValueError(
            f"attention_mask must have the shape of input_ids, {tuple(input_ids.shape)}, not "
            f"{tuple(attention_mask.shape)}"
        )
    return attention_mask.bool()


def _put_before(values: torch.Tensor, rows: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """One column more: before the values in the given rows, after them in the others."""
    before, after = F.pad(values, (1, 0), value=first), F.pad(values, (0, 1), value=last)
    return torch.where(rows.unsqueeze(1), before, after)
