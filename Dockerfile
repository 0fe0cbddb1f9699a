# CSP in one image; docker-compose.yml starts it as web, worker, clock, beat, mail door, and once to migrate.
# It runs as an ordinary user on a read-only root file system: what it writes are the volume /data and a tmpfs /tmp.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.txt ./
# Every wheel is named by its digest; PostgreSQL and Valkey are somebody else's containers, so their wheels stay out.
RUN python -m venv /opt/csp \
    && /opt/csp/bin/pip install --require-hashes --only-binary :all: -r requirements.txt

FROM python:3.13-slim-bookworm
ENV PATH=/opt/csp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=csp.settings \
    CSP_DATA_DIR=/data \
    CSP_STATIC_ROOT=/srv/static
# pg_dump and pg_restore, for `manage.py backup` and `restore`: of the server's own major version, from its makers.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 csp \
    && useradd --system --uid 10001 --gid csp --home-dir /data --shell /usr/sbin/nologin csp \
    && install --directory --owner csp --group csp --mode 0700 /data
COPY --from=build /opt/csp /opt/csp
WORKDIR /srv/csp
COPY . .
# Names with digests are made once, here; the secrets of this moment are no secrets and do not stay.
RUN CSP_EMBEDDED=0 SECRET_KEY=at-build CSP_MASTER_KEY=at-build CSP_SEAL_KEY=at-build CSP_SITE_URL=https://csp.invalid \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q audits csp feedback tickets training
USER 10001:10001
VOLUME /data
EXPOSE 8000 2525
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=4 CMD ["python", "-m", "csp.alive", "web"]
CMD ["gunicorn", "--config", "python:csp.run.web", "--bind", "0.0.0.0:8000"]
