# One image for all of Frontdoor. It runs the web server, or another command:
#   manage.py deliver_mail    the mail worker
#   manage.py migrate         once per release
# Settings come from the environment (docs/settings.md). It writes only to /tmp, so its root may be read-only.

ARG BASE=python:3.13-slim

FROM ${BASE} AS libraries
RUN python3 -m venv /opt/venv
COPY requirements.lock /tmp/
# If pip needs a configuration to reach packages, build with --secret id=pip.conf,src=/etc/pip.conf
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/venv/bin/pip install --quiet --no-cache-dir --require-hashes --only-binary=:all: -r /tmp/requirements.lock \
    && /opt/venv/bin/pip uninstall --quiet --yes pip

FROM libraries AS site
WORKDIR /srv/frontdoor
COPY . .
# DEBUG gives defaults for the settings that only a running site needs; it applies to this line alone.
RUN DEBUG=1 STATIC_ROOT=/srv/static /opt/venv/bin/python manage.py collectstatic --noinput
# The files never change, so Python need not compare them with their bytecode at each start.
RUN /opt/venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash .

FROM ${BASE}
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin frontdoor
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/srv/static \
    BIND=0.0.0.0:8000
COPY --from=libraries /opt/venv /opt/venv
COPY --from=site /srv /srv
WORKDIR /srv/frontdoor
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
CMD ["gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
