"""What figures and tables print in the place of the config's names, and beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Names:
    """Labels by name; what has no label is printed by its name.

    Attributes:
        captions: what is printed beside a dataset, such as "real masks, simulated CT".
        datasets, aleatoric, epistemic: labels of each.
    """

    captions: Labels = field(default_factory=dict)
    datasets: Labels = field(default_factory=dict)
    aleatoric: Labels = field(default_factory=dict)
    epistemic: Labels = field(default_factory=dict)

    @classmethod
    def of(cls, names: Mapping[str, Labels] | None) -> "Names":
        """Those of a job's settings, by attribute; none by default."""
        return cls(**(names or {}))

    def data(self, name: str) -> str:
        """A dataset's label."""
        return self.datasets.get(name, name)

    def dataset(self, name: str) -> str:
        """A dataset's label, with its caption in brackets."""
        label, caption = self.data(name), self.captions.get(name)
        return f"{label} ({caption})" if caption else label

    def model(self, name: str) -> str:
        """An aleatoric model's label."""
        return self.aleatoric.get(name, name)

    def method(self, name: str) -> str:
        """An epistemic method's label."""
        return self.epistemic.get(name, name)

    def cell(self, aleatoric: str, epistemic: str) -> str:
        """Both methods of a cell, in the order of its path."""
        return f"{self.model(aleatoric)} × {self.method(epistemic)}"


PLAIN = Names()
"""No labels and no captions."""
