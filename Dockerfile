# One image for every command: `docker run restock worker`. No root, no compiler, no uv in what is shipped; the Python is
# the one that the tests run on.
FROM python:3.11-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/restock
RUN pip install --no-cache-dir "uv>=0.9"
WORKDIR /build
# What is locked changes seldom, what we write changes often: two layers.
COPY pyproject.toml uv.lock ./
# For traces: --build-arg EXTRAS="--extra notify --extra otel".
ARG EXTRAS="--extra notify"
RUN uv sync --frozen --no-default-groups ${EXTRAS} --no-install-project
COPY LICENSE README.md ./
COPY schemas schemas
COPY stream stream
COPY agents agents
RUN uv sync --frozen --no-default-groups ${EXTRAS} --no-editable
# Compiled for every processor of the kind, so that the image runs at once wherever it is pulled, also read-only.
ENV NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=""
RUN /opt/restock/bin/python -m agents.kernel

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="restock" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH="/opt/restock/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=""
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin restock
COPY --from=build /opt/restock /opt/restock
USER 10001:10001
WORKDIR /tmp
EXPOSE 9477
# SIGTERM drains: the worker publishes, checkpoints and leaves its group before it exits.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9477/healthz', timeout=2)"]
ENTRYPOINT ["restock"]
CMD ["worker"]
