# What names faces, without training: docker compose up, or
#   docker build -t facetable . && docker run --rm -v ./photos:/photos:ro -v ./workspace:/workspace facetable --help
FROM python:3.12-slim

# OpenCV without windows needs no system library; names in any script need fonts on pictures.
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-noto-core fonts-noto-cjk fontconfig \
    && rm -rf /var/lib/apt/lists/*

# What changes rarely comes first, so that a new version of the program installs in seconds.
COPY requirements-serving.txt /tmp/
RUN sed 's/^opencv-python==/opencv-python-headless==/' /tmp/requirements-serving.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt

COPY pyproject.toml README.md LICENSE facetable.py recognize.py train_classifier.py /opt/facetable/
COPY foundation /opt/facetable/foundation
COPY embedder /opt/facetable/embedder
COPY classifiers /opt/facetable/classifiers
COPY people /opt/facetable/people
COPY recognition /opt/facetable/recognition
COPY webapp /opt/facetable/webapp
# --no-deps: the wheel asks for opencv-python, and two of OpenCV's wheels would break each other.
RUN pip install --no-cache-dir --no-deps /opt/facetable

RUN useradd --create-home --uid 1000 facetable \
    && install -d -o facetable -g facetable /photos /workspace /cache
USER facetable
ENV FACETABLE_CACHE=/cache
VOLUME ["/photos", "/workspace", "/cache"]
WORKDIR /workspace

# Of a service; a command that ends before a minute is over is never asked.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["python", "-m", "recognition.diagnosis.liveness"]

ENTRYPOINT ["facetable"]
CMD ["doctor"]
