# syntax=docker/dockerfile:1
# gridmap in a container, as a program or as a service:
#   docker run --rm -v "$PWD:/data" gridmap plan /data/plan.toml -o /data/out
#   docker compose -f docs/deploy/compose.yaml up

FROM python:3.11-slim AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md README.zh-CN.md CHANGELOG.md LICENSE ./
COPY src src
COPY migrations migrations
COPY data/samples data/samples
RUN python -m venv /opt/gridmap \
 && /opt/gridmap/bin/python -m pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM python:3.11-slim
# The raster reader's library is linked against the system's expat.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libexpat1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 gridmap \
 && install -d -o gridmap -g gridmap /data
COPY --from=build /opt/gridmap /opt/gridmap
ENV PATH=/opt/gridmap/bin:$PATH \
    PYTHONUNBUFFERED=1
USER gridmap
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["gridmap"]
CMD ["--help"]
