# The bot: web, worker, migrations and the command line, in one image. Rasa has its own, in nlu/.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# Answering needs no torch. For other encoders than the bundled one, and for `klaartje tune`: --build-arg SLIM=0
ARG SLIM=1
COPY requirements-build.lock requirements.lock requirements-encoders.lock requirements-torch.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.lock \
    && python -m venv --without-pip /opt/klaartje \
    && uv pip install --no-cache --compile-bytecode --python /opt/klaartje/bin/python \
        --require-hashes -r requirements.lock
RUN if [ "$SLIM" = 0 ] || [ -z "$SLIM" ]; then \
        uv pip install --no-cache --python /opt/klaartje/bin/python --torch-backend cpu \
            --no-deps --require-hashes -r requirements-torch.lock \
        && uv pip install --no-cache --python /opt/klaartje/bin/python \
            --no-deps --require-hashes -r requirements-encoders.lock; \
    fi
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY actions actions
COPY knowledge knowledge
COPY connectors connectors
RUN hatchling build -t wheel -d /tmp/wheel \
    && uv pip install --no-cache --compile-bytecode --python /opt/klaartje/bin/python --no-deps /tmp/wheel/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/klaartje --shell /usr/sbin/nologin klaartje \
    && install -d -o klaartje -g klaartje -m 700 /var/lib/klaartje/media
COPY --from=build /opt/klaartje /opt/klaartje
ENV PATH=/opt/klaartje/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    STATE_DIR=/var/lib/klaartje \
    LOG_FORMAT=json
# Everything that is kept goes to the database or to this folder; the rest of the image can be read-only.
WORKDIR /var/lib/klaartje
VOLUME /var/lib/klaartje
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["klaartje"]
CMD ["web"]
