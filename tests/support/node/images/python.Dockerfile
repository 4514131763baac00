# What an application's Dockerfile expects of its base: python, and a pip that may install.
ARG BASE
FROM ${BASE}
RUN python3 -m venv /usr/local/python
ENV PATH=/usr/local/python/bin:/usr/local/bin:/usr/bin:/bin
