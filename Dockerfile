# One image for every service of docker-compose.yaml: Airflow with the project and exactly what the lock pins.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.11
FROM ${AIRFLOW_IMAGE}

ENV AIRFLOW_HOME=/opt/airflow \
    PYTHONPATH=/opt/airflow/plugins:/opt/airflow/include \
    PYTHONUNBUFFERED=1
WORKDIR /opt/airflow

# Without dependencies: the lock is complete, and what the base image carries beyond it is not ours to move.
COPY requirements/lock.txt requirements/lock.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/lock.txt

# A named volume takes over the owner of the directory it is first mounted on.
RUN mkdir -p secrets state

COPY dags dags
COPY plugins plugins
COPY include include
