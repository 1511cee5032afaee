# One image for the three services and the console; the command says which. What it installs is
# pinned by version and hash (locks/, written by `make lock`).
FROM python:3.12-slim AS build
WORKDIR /src
COPY locks locks
RUN pip install --no-cache-dir --require-hashes -r locks/build.txt \
 && pip wheel --no-cache-dir --require-hashes --wheel-dir /wheels -r locks/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY protos protos
COPY services services
COPY tui tui
COPY podium_worker podium_worker
COPY examples examples
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    --mount=type=bind,from=build,source=/src/locks,target=/locks \
    pip install --no-cache-dir --no-index --find-links /wheels --require-hashes -r /locks/run.txt \
 && pip install --no-cache-dir --no-index --no-deps /wheels/podium-*.whl \
 && useradd --uid 10001 --no-create-home --home-dir /data podium \
 && mkdir /data && chown podium /data
USER 10001
# Nothing is written but below /data: the root may be read-only.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
ENTRYPOINT ["podium"]
CMD ["--help"]
