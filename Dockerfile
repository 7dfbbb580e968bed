# The site as an image. It starts a web process; worker and migration are other commands of it (compose.yaml).
FROM debian:trixie-slim

# Beside Python what stands in Aptfile: libraries and fonts for invoices.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        python3-venv \
        fonts-noto-cjk fonts-noto-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/booktime
ENV PATH=/srv/booktime/.venv/bin:$PATH PYTHONUNBUFFERED=1
COPY requirements.txt ./
RUN python3 -m venv .venv && pip install --no-cache-dir --requirement requirements.txt

# Static files are part of the image; pictures lie in a volume, or a bucket. Nothing else is written.
COPY . ./
RUN SECRET_KEY=a-key-for-this-step-alone bin/post_compile \
    && useradd --no-log-init --uid 10001 booktime \
    && install --directory --owner=booktime var/media
USER 10001
VOLUME /srv/booktime/var/media

EXPOSE 8000
CMD ["daphne", "--proxy-headers", "--bind", "0.0.0.0", "--port", "8000", "booktime.asgi:application"]
