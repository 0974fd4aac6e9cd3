# The MLflow server with the very packages of infra/mlflow. Build context: infra/mlflow.
FROM python:3.11-slim-bookworm
COPY requirements.txt constraints.txt /tmp/
RUN pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt -c /tmp/constraints.txt \
  && useradd --create-home mlflow && mkdir /data && chown mlflow:mlflow /data
USER mlflow
ENV MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true
VOLUME /data
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "1", \
  "--backend-store-uri", "sqlite:////data/mlflow.db", "--serve-artifacts", "--artifacts-destination", "/data/artifacts", \
  "--allowed-hosts", "mlflow:5000,localhost:5000,127.0.0.1:5000"]
