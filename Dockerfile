# The service: docker build -t agent-funnel . && docker run --env FUNNEL_DATABASE_URL=… agent-funnel
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY src ./src
# Install the dependencies with their hashes, then the package itself. The final image gets only the result.
RUN python -m venv /opt/agent-funnel \
    && /opt/agent-funnel/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && /opt/agent-funnel/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data funnel
COPY --from=build /opt/agent-funnel /opt/agent-funnel
ENV PATH=/opt/agent-funnel/bin:$PATH PYTHONUNBUFFERED=1 \
    FUNNEL_DATABASE_URL=sqlite:////data/funnel.db FUNNEL_HOST=0.0.0.0
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/healthz', timeout=4)"]
ENTRYPOINT ["agent-funnel"]
CMD ["serve"]
