"""A store of predictions, written batch by batch from whatever loop makes them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr
import zarr

from segue import dims, files, shards, store
from segue.errors import InputError
from segue.evaluation.canonical import known
from segue.evaluation.canonical import labels as canonical_labels
from segue.evaluation.structure import left_out
from segue.evaluation.values import Found
from segue.interop.batches import batch_of, check_order, checked, texts

_CHUNK = 2**20  # bytes that a chunk of probs has at most, where an image is smaller

_log = logging.getLogger(__name__)


class PredictionWriter:
    """Write predictions of your own to a store that ``segue check`` and ``segue score`` take.

    In a ``with`` block. The store is there when the block has ended well, and not before: after an
    exception, or Ctrl-C, nothing is left, and the loop is to be run again. Until then it lies in a
    hidden folder beside ``path``; what a killed process leaves there is removed by the next writer
    of the same ``path``. Memory does not grow with the number of batches. A batch that is refused
    leaves nothing of itself.

    Args:
        path: of the new store, such as ``mine.zarr``.
        dims: names of the axes that ``probs`` has in the loop, in their order: some of image,
            eu_sample (weight hypothesis, such as a member of an ensemble), au_sample (draw), class,
            y, x. The two sample dimensions may be left out, and have size 1 then.

    Raises:
        InputError: on entering the block, if ``path`` exists or another process writes to it; at
            its end, if nothing was added.
    """

    def __init__(self, path: str | Path, *, dims: Sequence[str] = dims.SAMPLES) -> None:
        self.path = Path(path)
        self._order = check_order(dims)
        self._splits: dict[str, _Split] = {}
        self._sizes: dict[str, int] = {}  # of all dimensions but image, as the first batch has them
        self._batches = 0
        self._work: Path | None = None  # where the store lies while the block runs

    def add(
        self, split: str, probs: Any, labels: Any, *, names: Any = None, patients: Any = None
    ) -> None:
        """Append a batch of images to a split; it is checked before anything of it is written.

        Args:
            split: ``val``, ``id`` or ``ood_<shift>``.
            probs: probabilities of all classes, in [0, 1] and with a sum of 1 over ``class``, with
                the axes ``dims``; a tensor on any device, or an array. Stored as float16.
            labels: of the same images (image, rater, y, x), or (image, y, x) of one rater: class
                indices, 255 or -1 where there is none.
            names: of the images, text or numbers, each once in a split; in all batches of a split
                or in none. A shifted copy of an image has its name.
            patients: of the images; the same of images that are drawn together by the bootstrap.

        Raises:
            InputError: names the batch and the image, what was expected and what was found.
        """
        self._batches += 1
        root = f"batch {self._batches}: {self.path}"
        if self._work is None:
            raise InputError(f"{root}: not open; use `with PredictionWriter(...) as writer:`")
        if known([str(split)]) != [split]:
            raise InputError(f"{root}: expected a split val, id or ood_<shift>, found {split!r}")
        batch = batch_of(probs, labels, self._order, split, root)
        sizes = self._checked_sizes(batch, f"{root}/{split}")
        into = self._splits.get(split) or _Split(split, batch)
        count = batch.sizes["image"]
        given = {"name": names, "patient": patients}
        written = {
            key: texts(each, count, f"{root}/{split}/{key}")
            for key, each in given.items()
            if each is not None
        }
        into.check_names(written, f"{root}/{split}")
        found = checked(batch, split, root, into.images, written.get("name", ()))
        self._splits[split], self._sizes = into, sizes
        into.append(self._work, batch, written, found)

    def __enter__(self) -> Self:
        """Begin; see the class."""
        self._writing = self._published()
        return self._writing.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        """Publish the store, or remove what is there of it."""
        return self._writing.__exit__(*error)

    @contextmanager
    def _published(self) -> Iterator[Self]:
        hidden = self.path.with_name(f".{self.path.name}.unfinished")
        taken = f"{self.path}: another process is writing to it; wait for it, or name another path"
        with files.alone(hidden, taken), store.publish(self.path, hidden / "store") as self._work:
            store.describe(self._work, {"made_by": "segue.PredictionWriter"})
            self._splits, self._sizes, self._batches = {}, {}, 0
            try:
                yield self
                if not self._splits:
                    raise InputError(f"{self.path}: nothing was added, so that nothing is written")
                for split in self._splits.values():
                    split.end(self._work)
            finally:
                self._work = None
        for line in left_out(self._splits, str(self.path)):
            _log.info("%s: %s", self.path, line)

    def _checked_sizes(self, batch: xr.Dataset, where: str) -> dict[str, int]:
        found = {str(dim): size for dim, size in batch.sizes.items() if dim != "image"}
        for dim, size in found.items():
            if size != self._sizes.get(dim, size):
                raise InputError(
                    f"{where}: expected {self._sizes[dim]} along {dim!r} as in the batches before, "
                    f"found {size}"
                )
        return found


class _Split:
    """A split that is being written: arrays that grow by whole files, and images that wait.

    Attributes:
        images: so many were added.
    """

    def __init__(self, name: str, batch: xr.Dataset) -> None:
        image = 2 * batch["probs"][0].size  # bytes of float16
        self._chunk = max(1, _CHUNK * batch.sizes["eu_sample"] // image)
        self._file = shards.images(image, self._chunk)
        self._name = name
        self._waiting: dict[str, list[np.ndarray]] = {"probs": [], "labels": []}
        self._arrays: dict[str, zarr.Array] = {}
        self._coordinates: dict[str, list[str]] | None = None
        self._seen: set[str] = set()
        self.images = 0

    def check_names(self, new: Mapping[str, list[str]], where: str) -> None:
        """See that a batch has names and patients as those before, and no name again."""
        before = new if self._coordinates is None else self._coordinates
        for key in sorted(new.keys() ^ before.keys()):
            raise InputError(
                f"{where}: expected {'no ' * (key in new)}{key}s as in the batches before; give "
                "them with all batches of a split or with none"
            )
        seen = set(self._seen)
        for name in new.get("name", ()):
            if not name or name in seen:
                what = f"{name!r} was added before" if name else "found an empty one"
                raise InputError(f"{where}/name: expected another name for each image, {what}")
            seen.add(name)

    def append(
        self, path: Path, batch: xr.Dataset, new: Mapping[str, list[str]], found: Found
    ) -> None:
        """Write what fills files; what is left waits."""
        if self._coordinates is None:
            self._coordinates = {key: [] for key in new}
            self._create(path, batch)
            if found.unlabelled and not found.foreground:
                _log.warning(
                    "%s: labels are 0 or %d (no label) so far; if %d is the foreground of masks, "
                    "write labels // 255",
                    self._name,
                    *[dims.UNLABELLED] * 2,
                )
        for key, each in new.items():
            self._coordinates[key] += each
        self._seen.update(new.get("name", ()))
        self._waiting["probs"].append(batch["probs"].values.astype(np.float16))
        self._waiting["labels"].append(canonical_labels(batch["labels"].values))
        self.images += batch.sizes["image"]
        if (waiting := sum(map(len, self._waiting["labels"]))) >= self._file:
            self._write(waiting // self._file * self._file)

    def end(self, path: Path) -> None:
        """Write what is left, and the names and patients."""
        self._write(sum(map(len, self._waiting["labels"])))
        for array in self._arrays.values():
            array.resize((self.images, *array.shape[1:]))
        for key, each in self._coordinates.items():
            store.coordinate(path, self._name, key, "image", each)

    def _create(self, path: Path, batch: xr.Dataset) -> None:
        for name, order, kind in (
            ("probs", dims.SAMPLES, "float16"),
            ("labels", dims.LABELS, "uint8"),
        ):
            shape = (self._file, *batch[name].shape[1:])
            self._arrays[name] = store.create(
                path, self._name, name, order, shape, kind, chunk=self._chunk, shard=self._file
            )

    def _write(self, count: int) -> None:
        """Write the first ``count`` images of those that wait."""
        start = self.images - sum(map(len, self._waiting["labels"]))
        for name, array in self._arrays.items():
            values = np.concatenate(self._waiting[name])
            array.resize((max(array.shape[0], start + count), *array.shape[1:]))
            array[start : start + count] = values[:count]
            self._waiting[name] = [values[count:].copy()]
