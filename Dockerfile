# Segue on the CPU. Build it, then run a study in the folder that one is in:
#   docker build -t segue .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" segue
# Results come into results/ there; a config.yaml there is read, else the default study is run. Any
# other command comes last: docker run … segue segue score STORE --out DIR
FROM python:3.11-slim

# An index of packages beside the usual one. PyTorch's own of builds for the CPU, which leave out
# CUDA, makes the image several GB smaller: docker build --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL

WORKDIR /opt/segue
COPY pyproject.toml README.md LICENSE ./
COPY envs envs
COPY src src
RUN pip install --no-cache-dir ".[study,data]" -c envs/constraints.txt
COPY Snakefile config.yaml ./
COPY profiles profiles
COPY workflow workflow

# Any user may run it: caches go where everybody may write, and neither home nor name need exist.
ENV HOME=/tmp USER=segue XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
CMD ["snakemake", "--snakefile", "/opt/segue/Snakefile", "--cores", "all"]
