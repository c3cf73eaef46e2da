# One image for every process of Recount; the command says which. The NATS server is an image of its own.
FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
ENV UV_PROJECT_ENVIRONMENT=/opt/recount UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
# The dependencies change rarely, so they are a layer before the source.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project --python /usr/local/bin/python
COPY README.md ./
COPY events events
COPY projections projections
COPY services services
RUN uv sync --frozen --no-dev --no-editable --python /usr/local/bin/python

FROM python:3.11-slim
# A number and not a name, so that Kubernetes can see that it is not root. The volumes take over who owns these folders.
RUN useradd --uid 10001 --no-create-home --home-dir /data recount && \
    install -d -o 10001 -g 10001 -m 0700 /data /data/nats
COPY --from=build /opt/recount /opt/recount
ENV PATH=/opt/recount/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RECOUNT_DATA=/data RECOUNT_HTTP=0.0.0.0:8080 RECOUNT_INTAKE=0.0.0.0:8081 RECOUNT_POSTGRES=0.0.0.0:8082
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080 8081 8082
ENTRYPOINT ["recount"]
# Everything in one container: embedded NATS server, actors and readers. docker-compose.yml runs them apart.
CMD ["up"]
