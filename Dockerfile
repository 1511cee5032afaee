# One image for the three services and the console; the command says which.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY protos protos
COPY services services
COPY tui tui
COPY examples examples
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.12-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels podium \
 && useradd --uid 10001 --create-home podium \
 && mkdir /data && chown podium /data
USER podium
ENV PYTHONUNBUFFERED=1
VOLUME /data
ENTRYPOINT ["podium"]
CMD ["--help"]
