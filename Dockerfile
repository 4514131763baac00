# The operator, and the init container that brings the runner into the users' images: one image for both.
# Build arguments: BASE for another Python, PIP_INDEX_URL and PIP_CERT for an index and a certificate of your own
# (or mount a pip.conf); nothing of them is in the result.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ARG PIP_INDEX_URL
ARG PIP_CERT
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY crds crds
COPY examples/shop examples/shop
COPY operator operator
# Compiled here, because nothing can be written where it runs. Of the client of Kubernetes only its reading of
# configurations is used: what was generated for each kind is more than half of all files, and is loaded by nothing.
# Alembic and SQLAlchemy come with the users' images: the runner is copied there, and nothing here loads them.
RUN python3 -m venv /opt/headway \
 && /opt/headway/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile -c constraints.txt ".[operator]" \
 && /opt/headway/bin/pip uninstall --yes --quiet alembic mako sqlalchemy greenlet pip setuptools wheel \
 && python3 -c "import glob, os, shutil; [shutil.rmtree(one) if os.path.isdir(one) else os.remove(one) for part in ('aio', 'client/api', 'client/models/v*.py') for one in glob.glob('/opt/headway/lib/python3*/site-packages/kubernetes/' + part)]" \
 && /opt/headway/bin/python3 -c "from kubernetes.client import Configuration; from kubernetes.config import load_kube_config" \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/headway/lib

# The base without what installs or is never run here. Copied into an empty image, because what a layer takes away
# stays in the layer below, and a scanner finds it there.
FROM ${BASE} AS base
RUN python3 -c "import glob, os, shutil, sysconfig; lib = sysconfig.get_path('stdlib'); \
unused = ('ensurepip', 'idlelib', 'lib2to3', 'test', 'tkinter', 'turtledemo', *('*-packages/' + one + '*' for one in ('pip', 'setuptools', 'wheel', 'distutils-precedence'))); \
programs = ('2to3', 'idle', 'pip', 'pydoc', 'wheel'); \
found = [one for part in (*(lib + '/' + one for one in unused), '/usr/share/python-wheels', *('/usr/local/bin/' + one + '*' for one in programs)) for one in glob.glob(part)]; \
[shutil.rmtree(one) if os.path.isdir(one) else os.remove(one) for one in found]"

FROM scratch
COPY --from=base / /
COPY --from=build /opt/headway /opt/headway
ENV PATH=/opt/headway/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["headway-operator"]
