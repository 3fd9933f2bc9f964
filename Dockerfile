# The build needs a C compiler (SQLite and ring are compiled in), which the Rust image has.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY migrations migrations
COPY benches/ops_log.rs benches/ops_log.rs
COPY tests/it/main.rs tests/it/main.rs
RUN cargo build --release --locked --bin daily-ops

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 /var/lib/daily-ops
COPY --from=build /src/target/release/daily-ops /usr/local/bin/daily-ops
# The database and the ops log's file are written here; the configuration is mounted, secrets come as NAME_FILE.
WORKDIR /var/lib/daily-ops
VOLUME /var/lib/daily-ops
USER 65532:65532
ENV DAILY_OPS_CONFIG=/etc/daily-ops/daily-ops.toml
EXPOSE 8080 9090
# Health is for whoever runs the container: GET /readyz on the admin listener.
ENTRYPOINT ["/usr/local/bin/daily-ops"]
CMD ["serve"]
