"""The study as a value: from a config, its cells, and the jobs that make every result.

The workflow's rules ask it for paths and settings; tests ask it what would run again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from segue import plugins, stamp
from segue.study import checks, cost, grid, jobs
from segue.study import config as configs
from segue.study import settings as of
from segue.study.code import code
from segue.study.config import Config
from segue.study.figures import figures
from segue.study.grid import Cell, Run
from segue.study.jobs import Job
from segue.study.settings import Names


@dataclass(frozen=True)
class Study:
    """A study that has been checked.

    What depends on this study alone lies in ``folder``; data, trainings and samples, which other
    studies may need too, in ``shared``, under a key of all that made them.
    """

    config: Config

    @classmethod
    def parse(cls, config: Mapping[str, Any], defaults: Mapping[str, Any]) -> "Study":
        """Check a config and lay it over config.yaml's ``defaults``.

        Raises:
            InputError: names the key that is wrong, what was expected and what was found.
        """
        found = configs.read(config, defaults)
        checks.check(found)
        return cls(found)

    @property
    def folder(self) -> str:
        """Folder of the study's own results."""
        return jobs.folder(self.config)

    @property
    def shared(self) -> str:
        """Folder of what studies share."""
        return jobs.shared(self.config)

    @cached_property
    def trained(self) -> list[Cell]:
        """Cells whose models the study trains."""
        return grid.trained(self.config)

    @cached_property
    def given(self) -> dict[Cell, str]:
        """Cells that are predictions of other programs, and their stores."""
        return grid.given(self.config)

    @property
    def cells(self) -> list[Cell]:
        """All cells."""
        return [*self.trained, *self.given]

    @cached_property
    def runs(self) -> list[Run]:
        """All trainings, each once."""
        needed = (run for cell in self.trained for run in grid.runs(self.config, cell))
        return list(dict.fromkeys(needed))

    @cached_property
    def jobs(self) -> dict[tuple[str, str], Job]:
        """All jobs by stage and id, in the order of the data."""
        return {(job.stage, job.id): job for job in self._jobs()}

    def job(self, stage: str, id: str) -> Job:
        """The job of a stage.

        Raises:
            KeyError: there is none of that id in this study.
        """
        return self.jobs[stage, id]

    def of(self, stage: str) -> list[Job]:
        """All jobs of a stage."""
        return [job for job in self.jobs.values() if job.stage == stage]

    def settings_file(self, job: Job) -> str:
        """Path of the file that keeps a queued job's settings, whatever happens to config.yaml.

        Other settings have another path, unless they differ in nothing that a result depends on.
        Other code has not: a queued job finds its settings after an update. A job whose result is
        shared has the same path in every study.
        """
        if job.made.startswith(f"{self.shared}/"):
            return f"{self.shared}/settings/{job.stage}/{job.id}.json"
        key = jobs.digest(of.identity(job.settings))
        return f"{self.folder}/settings/{job.stage}/{job.id}-{key}.json"

    @cached_property
    def dataset(self) -> dict[str, Job]:
        """The job that prepares each dataset, by its name."""
        return {name: self._prepare(name) for name in self.config.datasets}

    @cached_property
    def training(self) -> dict[Run, Job]:
        """The job of each training."""
        return {run: self._train(run) for run in self.runs}

    @cached_property
    def sampling(self) -> dict[Cell, Job]:
        """The job that makes, or checks, the samples of each cell."""
        return {cell: self._sample(cell) for cell in self.trained} | {
            cell: self._given(cell, store) for cell, store in self.given.items()
        }

    @cached_property
    def mapping(self) -> dict[Cell, Job]:
        """The job that makes the maps of each cell."""
        return {cell: self._maps(cell) for cell in self.cells}

    @cached_property
    def scoring(self) -> dict[Cell, Job]:
        """The job that scores each cell."""
        return {cell: self._score(cell) for cell in self.cells}

    @cached_property
    def ranking(self) -> Job:
        """The job that makes the tables."""
        return self._tables()

    def labels(self, cell: Cell) -> str:
        """Stamp of the store that has the labels of a cell: a given store has its own."""
        return (self.sampling[cell] if cell in self.given else self.dataset[cell.dataset]).made

    def _jobs(self) -> Iterator[Job]:
        yield from self.dataset.values()
        cards = [self._card(name) for name in self.config.datasets]
        yield from cards
        yield from self.training.values()
        yield from self.sampling.values()
        yield from self.mapping.values()
        yield from self.scoring.values()
        yield self.ranking
        drawn = [*figures(self)]
        yield from drawn
        yield self._page(tuple(job.made for job in (self.ranking, *cards, *drawn)))

    def _prepare(self, name: str) -> Job:
        entry = self.config.datasets[name]
        settings = of.Prepare(source=entry.source, options=entry.options, seed=self.config.seed)
        # Data that were moved are the same data.
        paths = plugins.literal(plugins.module("sources", entry.source), "PATHS", ())
        options = {key: value for key, value in entry.options.items() if key not in paths}
        followed = code("prepare", settings) if jobs.follows(self.config, "prepare") else ""
        key = jobs.digest({**of.identity(settings), "options": options}, followed)
        trigger = jobs.trigger(self.config, "prepare", settings)
        return jobs.keyed(self.config, "prepare", f"datasets/{name}", key, settings, trigger)

    def _train(self, run: Run) -> Job:
        config, data = self.config, self.dataset[run.dataset]
        model, recipe = config.aleatoric[run.aleatoric], config.recipes[run.recipe].model_dump()
        training = config.training_of(run.dataset, run.aleatoric)
        # Only the first member's snapshots are read (by swag); but a schedule goes by their number.
        if run.member and not config.recipes[run.recipe].schedule:
            recipe |= {"snapshots": 0, "collect": None}
        elif collect := config.recipes[run.recipe].collect:
            epochs = collect.epochs(training)
            recipe["collect"] = {"epochs": epochs, "learning_rate": collect.learning_rate}
        settings = of.Train(
            dataset=data.made,
            aleatoric=of.Method(method=model.method, options=model.options),
            network=config.network,
            recipe=of.Recipe(**recipe),
            training=training,
            labels=list(map(str, run)),
            seed=config.seed,
        )
        trigger = jobs.trigger(config, "train", settings)
        key = jobs.digest(trigger, data.id)
        return jobs.keyed(config, "train", f"models/{run}", key, settings, trigger)

    def _sample(self, cell: Cell) -> Job:
        config, data = self.config, self.dataset[cell.dataset]
        model, method = config.aleatoric[cell.aleatoric], config.epistemic[cell.epistemic]
        trainings = [self.training[run] for run in grid.runs(config, cell)]
        sampling = config.sampling_of(cell.epistemic)
        settings = of.Sample(
            dataset=data.made,
            checkpoints=[job.made for job in trainings],
            aleatoric=model.method,
            own=config.network.own and config.network.own.name,
            sampler=model.sampling,
            epistemic=of.Hypotheses(
                method=method.method, hypotheses=method.hypotheses, options=method.options
            ),
            au_samples=cost.draws(model.model_dump(), sampling.au_samples),
            noise=sampling.noise,
            bits=config.samples.bits,
            keep=config.samples.keep == "all",
            batch=sampling.batch,
            labels=[cell.dataset, cell.aleatoric, cell.epistemic, str(cell.replicate)],
            seed=config.seed,
        )
        trigger = jobs.trigger(config, "sample", settings)
        key = jobs.digest(trigger, [job.id for job in trainings])
        return jobs.keyed(config, "sample", f"samples/{cell}", key, settings, trigger)

    def _given(self, cell: Cell, store: str) -> Job:
        settings = of.Given(store=store)
        made = f"{self.folder}/samples/{cell}/{stamp.NAME}"
        return Job(
            "given", str(cell), settings, made, (), jobs.trigger(self.config, "given", settings)
        )

    def _maps(self, cell: Cell) -> Job:
        settings = of.Maps(
            dataset=self.labels(cell),
            samples=self.sampling[cell].made,
            keep=self.config.samples.keep == "all",
            **dict(self.config.uncertainty),
            shown=self.kept_shown,
            options=plugins.taken(plugins.SUMMARISE, self.config.scores),
        )
        return jobs.own(self.config, "maps", cell, settings)

    def _score(self, cell: Cell) -> Job:
        settings = of.Score(
            dataset=self.labels(cell),
            maps=self.mapping[cell].made,
            key=of.ScoreKey(study=self.config.study, **cell._asdict()),
            variants=self.config.variants,
            options=plugins.taken(plugins.SCORE, self.config.scores),
            seed=self.config.seed,
        )
        return jobs.own(self.config, "score", cell, settings)

    def _card(self, name: str) -> Job:
        settings = of.Card(dataset=self.dataset[name].made)
        return jobs.job(self.config, "card", name, settings, f"{self.folder}/cards/{name}.md")

    def _tables(self) -> Job:
        config = self.config
        published = {n: d.published for n, d in config.datasets.items() if d.published}
        settings = of.AllTables(
            scores=[job.made for job in self.scoring.values()],
            options=config.tables,
            cells=[[*cell] for cell in self.cells],
            not_applicable=config.not_applicable,
            seed=config.seed,
            published=published,
            names=self.names,
            axes=config.axes,
            remedies=config.remedies,
            passes=self._passes if config.remedies else {},
        )
        return jobs.job(
            self.config, "tables", "tables", settings, f"{self.folder}/tables/scores.csv"
        )

    def _page(self, inputs: tuple[str, ...]) -> Job:
        """The last job, after all that it shows and all whose times it says."""
        config = self.config.model_dump(exclude_none=True)
        settings = of.Page(study=self.folder, config=config)
        trigger = jobs.trigger(self.config, "page", settings)
        return Job("page", "page", settings, f"{self.folder}/report.html", inputs, trigger)

    @property
    def kept_shown(self) -> int:
        """Images of each split whose samples stay whatever becomes of all others."""
        return 0 if self.config.samples.keep == "none" else self.config.samples.shown

    @property
    def _passes(self) -> dict[str, int]:
        """Network passes an image of each cell, by its methods."""
        config = self.config
        return {
            f"{cell.aleatoric}-{cell.epistemic}": cost.passes(
                config.aleatoric[cell.aleatoric].model_dump(),
                config.epistemic[cell.epistemic].hypotheses,
                config.sampling_of(cell.epistemic).au_samples,
            )
            for cell in self.trained
        }

    @property
    def names(self) -> Names:
        """Captions of datasets, and the labels of all that have one."""
        sections = ("datasets", "aleatoric", "epistemic")
        labels = {
            section: {n: e.label for n, e in getattr(self.config, section).items() if e.label}
            for section in sections
        }
        captions = {n: d.caption for n, d in self.config.datasets.items() if d.caption is not None}
        return Names(captions=captions, **labels)
