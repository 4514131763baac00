# Debian's own Python, in the place of python:slim.
FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/usr/bin:/bin
CMD ["python3"]
