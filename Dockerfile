# One image for every service of docker-compose.yaml: Airflow with the project and exactly what the lock pins.
# It takes no more for granted of the image beneath than Python 3.11 to 3.13 with pip.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.11
FROM ${AIRFLOW_IMAGE}

WORKDIR /opt/airflow

# Without dependencies: the lock is complete, and what the base image carries beyond it is not ours to move.
# Where Python is the distribution's own, pip wants to be told that it may.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_BREAK_SYSTEM_PACKAGES=1
COPY requirements/lock.txt requirements/lock.txt
RUN python3 -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/lock.txt

COPY dags dags
COPY plugins plugins
COPY include include
