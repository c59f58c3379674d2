# The service. It listens on all addresses of its container, so it starts only once there is a key:
#
#   docker build -t agent-funnel .
#   docker run --rm --env FUNNEL_DATABASE_URL=… agent-funnel keys add me --role admin
#   docker run --publish 127.0.0.1:5000:5000 --env FUNNEL_DATABASE_URL=… --env FUNNEL_TIMEZONE=… agent-funnel
#
# The digests name exactly one image; Dependabot proposes newer ones.
FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY src ./src
# Install the dependencies with their hashes, then the package itself. The final image gets only the result.
RUN python -m venv /opt/agent-funnel \
    && /opt/agent-funnel/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && /opt/agent-funnel/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
RUN useradd --system --uid 10001 --create-home --home-dir /data funnel
COPY --from=build /opt/agent-funnel /opt/agent-funnel
ENV PATH=/opt/agent-funnel/bin:$PATH PYTHONUNBUFFERED=1 \
    FUNNEL_DATABASE_URL=sqlite:////data/funnel.db FUNNEL_HOST=0.0.0.0
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["python", "-c", \
    "import os, urllib.request as r; p = os.environ.get('FUNNEL_PORT', '5000'); r.urlopen(f'http://127.0.0.1:{p}/healthz', timeout=4)"]
ENTRYPOINT ["agent-funnel"]
CMD ["serve"]
